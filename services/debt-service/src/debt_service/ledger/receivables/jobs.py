"""Debts become overdue by the calendar."""

from __future__ import annotations

from datetime import timedelta

from council_common.clock import london_date
from council_common.identity.actor import SYSTEM
from council_common.runtime.service_runtime import Runtime
from council_common.service.jobs import Job

from debt_service.ledger.receivables.usecases import mark_overdue


async def mark_overdue_today(runtime: Runtime) -> None:
    """Mark what was due before today in London; running again the same day changes nothing."""
    now = runtime.clock()
    async with runtime.sessions.begin() as session:
        await mark_overdue(session, as_at=london_date(now), by=SYSTEM, at=now)


JOBS = (Job("mark-overdue", mark_overdue_today, every=timedelta(minutes=15)),)
