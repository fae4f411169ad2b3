"""Asking for long work, cancelling it, resuming it, and how it ends. Rooms call the first three."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from council_common.identity.actor import SYSTEM, Actor
from council_common.long_work import store
from council_common.long_work.kind import WorkKind
from council_common.long_work.rules import WorkState, must_move
from council_common.long_work.tables import Work
from council_common.observability.traces import current_traceparent
from council_common.service.jobs import wake_job


async def request_work(
    session: AsyncSession, kind: WorkKind, subject_id: UUID, *, total: int | None, by: Actor, at: datetime
) -> Work:
    """Have work done for a resource: it begins as soon as this transaction commits. Answer 202."""
    work = Work(
        subject_id=subject_id,
        kind=kind.name,
        turn=await store.behind_all(session, kind.name),
        total=total,
        requested_by=by.subject,
        requested_by_name=by.name,
        requested_at=at,
        traceparent=current_traceparent(),
    )
    session.add(work)
    await wake_job(session, kind.name)
    return work


async def cancel_work(
    session: AsyncSession, kind: WorkKind, subject_id: UUID, *, by: Actor, at: datetime, note: str | None
) -> Work:
    """Stop work after the slice under way. Raises WorkNotFound, IllegalMove and FailedForGood."""
    work = await store.get_work(session, kind.name, subject_id, lock=True)
    must_move(kind.noun, work.state, WorkState.CANCELLED, can_resume=work.can_resume)
    work.state, work.finished_at, work.can_resume = WorkState.CANCELLED, at, False
    await kind.moved(session, work, by=by, at=at, note=note)
    return work


async def resume_work(
    session: AsyncSession, kind: WorkKind, subject_id: UUID, *, by: Actor, at: datetime, note: str | None
) -> Work:
    """Have failed work go on where it was. Raises WorkNotFound, IllegalMove and FailedForGood."""
    work = await store.get_work(session, kind.name, subject_id, lock=True)
    must_move(kind.noun, work.state, WorkState.WAITING, can_resume=work.can_resume)
    # Beyond its own last turn as well: a worker that slept since then must not take the new one for its own.
    turn = max(work.turn + 1, await store.behind_all(session, kind.name))
    work.state, work.turn = WorkState.WAITING, turn
    work.attempts, work.waits, work.can_resume, work.error, work.finished_at = 0, 0, False, None, None
    await kind.moved(session, work, by=by, at=at, note=note)
    await wake_job(session, kind.name)
    return work


async def finish_work(session: AsyncSession, kind: WorkKind, work: Work, *, at: datetime) -> None:
    """The last slice of locked work is done."""
    work.state, work.finished_at = WorkState.DONE, at
    await kind.moved(session, work, by=SYSTEM, at=at, note=None)


async def fail_work(
    session: AsyncSession, kind: WorkKind, work: Work, error: dict[str, Any], *, can_resume: bool, at: datetime
) -> None:
    """Locked work cannot go on."""
    work.state, work.finished_at, work.error, work.can_resume = WorkState.FAILED, at, error, can_resume
    await kind.moved(session, work, by=SYSTEM, at=at, note=None)
