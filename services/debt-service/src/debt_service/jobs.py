"""What runs by the calendar: debts become overdue, holds end."""

from contextlib import suppress
from datetime import timedelta

from council_common.clock import london_date
from council_common.identity.actor import SYSTEM
from council_common.runtime.service_runtime import Runtime
from council_common.service.jobs import Job

from debt_service.arrangements.holds.rules import HoldReleased
from debt_service.arrangements.holds.store import ended_holds
from debt_service.arrangements.holds.usecases import release_hold
from debt_service.ledger.receivables.usecases import mark_overdue

HOLDS_A_TURN = 100


async def mark_overdue_today(runtime: Runtime) -> None:
    """Mark what was due before today in London; asking again the same day changes nothing."""
    now = runtime.clock()
    async with runtime.sessions.begin() as session:
        await mark_overdue(session, as_at=london_date(now), by=SYSTEM, at=now)


async def end_holds(runtime: Runtime) -> bool:
    """Release holds whose last day is over, each in a transaction of its own; True when more are waiting."""
    now = runtime.clock()
    async with runtime.sessions() as session:
        ended = await ended_holds(session, today=london_date(now), limit=HOLDS_A_TURN)
    for hold_id in ended:
        # Somebody may have released it since it was looked up.
        with suppress(HoldReleased):
            async with runtime.sessions.begin() as session:
                await release_hold(session, hold_id, reason="its last day is over", by=SYSTEM, at=now)
    return len(ended) == HOLDS_A_TURN


JOBS = (
    Job("mark-overdue", mark_overdue_today, every=timedelta(minutes=15)),
    Job("end-holds", end_holds, every=timedelta(minutes=15)),
)
