"""Occurrences of jobs with clock times: each has a row, so that it is run once, and caught up when it was missed.

All is called under the job's lock: one worker at a time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Update, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.tables import job_occurrence
from council_common.service.schedule import Schedule

MOST_ATTEMPTS = 5
TRY_AGAIN = timedelta(minutes=1)
"""After the first attempt; twice as long after each further one."""


class OccurrenceOutcome(StrEnum):
    """What became of an occurrence; `registered` marks when a job was first seen: nothing before it was missed."""

    REGISTERED = "registered"
    DONE = "done"
    FAILED = "failed"


class NextTurn(NamedTuple):
    """The occurrence that is next, when it may begin, and how many older ones are given up."""

    due_at: datetime
    begin_at: datetime
    given_up: int = 0


async def next_turn(session: AsyncSession, job: str, schedule: Schedule, *, now: datetime) -> NextTurn:
    """One that was begun and not finished (it failed, or its worker died), else the next that is due."""
    found = await session.execute(
        select(job_occurrence).where(job_occurrence.c.job == job).order_by(job_occurrence.c.due_at.desc()).limit(1)
    )
    newest = found.one_or_none()
    if newest is None:
        await session.execute(
            insert(job_occurrence).values(
                job=job, due_at=now, begun_at=now, attempts=0, finished_at=now, outcome=OccurrenceOutcome.REGISTERED
            )
        )
        due_at, _ = schedule.next_due(now, now=now)
        return NextTurn(due_at, due_at)
    if newest.outcome is None:
        pause = TRY_AGAIN * 2 ** (newest.attempts - 1) if newest.attempts else timedelta(0)
        return NextTurn(newest.due_at, newest.begun_at + pause)
    due_at, given_up = schedule.next_due(newest.due_at, now=now)
    return NextTurn(due_at, due_at, given_up)


async def begin(session: AsyncSession, job: str, due_at: datetime, *, at: datetime) -> int | None:
    """Claim an occurrence and count the attempt; None where it is finished already."""
    claim = insert(job_occurrence).values(job=job, due_at=due_at, begun_at=at, attempts=1)
    claimed = await session.execute(
        claim.on_conflict_do_update(
            index_elements=["job", "due_at"],
            set_={"begun_at": at, "attempts": job_occurrence.c.attempts + 1},
            where=job_occurrence.c.outcome.is_(None),
        ).returning(job_occurrence.c.attempts)
    )
    attempts: int | None = claimed.scalar()
    return attempts


async def note_progress(session: AsyncSession, job: str, due_at: datetime) -> None:
    """It goes on: what was done before does not count as an attempt."""
    await session.execute(_update(job, due_at).values(attempts=0))


async def finish(
    session: AsyncSession, job: str, due_at: datetime, outcome: OccurrenceOutcome, *, at: datetime
) -> None:
    """Write what became of an occurrence."""
    await session.execute(_update(job, due_at).values(outcome=outcome, finished_at=at))


async def purge_occurrences(session: AsyncSession, *, before: datetime) -> None:
    """Forget old occurrences; the newest of each job stays, from which the next is reckoned."""
    newer = job_occurrence.alias()
    behind = exists().where(newer.c.job == job_occurrence.c.job, newer.c.due_at > job_occurrence.c.due_at)
    await session.execute(delete(job_occurrence).where(job_occurrence.c.due_at < before, behind))


def _update(job: str, due_at: datetime) -> Update:
    return update(job_occurrence).where(job_occurrence.c.job == job, job_occurrence.c.due_at == due_at)
