"""What runs by the calendar: the accounts that have cooled off are used, the addresses no longer warned are deleted."""

from __future__ import annotations

from datetime import timedelta

from council_common.clock import london_date
from council_common.database.transient_faults import is_transient
from council_common.observability.logs import get_logger
from council_common.runtime.service_runtime import Runtime
from council_common.service.jobs import Job

from supplier_service.bank_account_changes.rules import removed_emails_since
from supplier_service.bank_account_changes.store import cooled_off
from supplier_service.bank_account_changes.usecases import activate_account
from supplier_service.suppliers.store import forget_removed_emails as forget_emails

log = get_logger()

BATCH = 100


async def activate_bank_accounts(runtime: Runtime) -> None:
    """Use the accounts whose cooling-off is over, one transaction a case; a case that fails stops no other.

    Raises RuntimeError at the end when some failed, so that the run counts as failed.
    """
    now = runtime.clock()
    activated, failed, last = 0, 0, None
    while True:
        async with runtime.sessions.begin() as session:
            due = await cooled_off(session, today=london_date(now), after=last, limit=BATCH)
        if not due:
            break
        last = due[-1]
        for change_id in due:
            try:
                async with runtime.sessions.begin() as session:
                    activated += await activate_account(session, change_id, at=now)
            except Exception as fault:
                if is_transient(fault):
                    raise
                failed += 1
                log.error("bank_account_not_activated", bank_account_change_id=str(change_id), exc_info=fault)
    if activated:
        log.info("bank_accounts_activated", count=activated)
    if failed:
        raise RuntimeError(f"{failed} bank accounts could not be activated")


async def forget_removed_emails(runtime: Runtime) -> None:
    """Delete the addresses that would not be warned any more of a bank-account change requested today."""
    today = london_date(runtime.clock())
    async with runtime.sessions.begin() as session:
        count = await forget_emails(session, before=removed_emails_since(today))
    if count:
        log.info("removed_emails_forgotten", count=count)


JOBS: tuple[Job, ...] = (
    Job("activate-bank-accounts", activate_bank_accounts, every=timedelta(minutes=15)),
    Job("forget-removed-emails", forget_removed_emails, every=timedelta(days=1)),
)
