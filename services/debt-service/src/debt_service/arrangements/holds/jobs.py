"""Holds end by the calendar."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from council_common.clock import london_date
from council_common.holds import HoldReleased, ReleaseReason
from council_common.identity.actor import SYSTEM
from council_common.runtime.service_runtime import Runtime
from council_common.service.jobs import Job

from debt_service.arrangements.holds.store import ended_holds
from debt_service.arrangements.holds.usecases import release_hold

BATCH = 100
NOTE = "Its last day is over."


async def end_holds(runtime: Runtime) -> bool:
    """Release holds whose last day is over, one a transaction; True when more are waiting."""
    now = runtime.clock()
    async with runtime.sessions() as session:
        ended = await ended_holds(session, today=london_date(now), limit=BATCH)
    for hold_id in ended:
        # An officer may have released it since it was looked up.
        with suppress(HoldReleased):
            async with runtime.sessions.begin() as session:
                await release_hold(session, hold_id, reason=ReleaseReason.EXPIRED, note=NOTE, by=SYSTEM, at=now)
    return len(ended) == BATCH


JOBS = (Job("end-holds", end_holds, every=timedelta(minutes=15)),)
