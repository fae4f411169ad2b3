"""What runs by the calendar or when woken."""

from __future__ import annotations

from datetime import timedelta

from council_common.clock import london_date
from council_common.observability.logs import get_logger
from council_common.runtime.running import Runtime
from council_common.service.jobs import Job

from supplier_service.bank_account_changes.store import cooled_off
from supplier_service.bank_account_changes.usecases import activate_account

log = get_logger()

BATCH = 100


async def activate_bank_accounts(runtime: Runtime) -> bool:
    """Use the accounts whose cooling-off is over, each in its own transaction; True when a full batch was done."""
    now = runtime.clock()
    async with runtime.sessions.begin() as session:
        due = await cooled_off(session, today=london_date(now), limit=BATCH)
    activated = 0
    for change_id in due:
        async with runtime.sessions.begin() as session:
            activated += await activate_account(session, change_id, at=now)
    if activated:
        log.info("bank_accounts_activated", count=activated)
    return activated == BATCH


JOBS: tuple[Job, ...] = (Job("activate-bank-accounts", activate_bank_accounts, every=timedelta(minutes=15)),)
