"""The queries about long work: whose turn it is, who has it, how much is open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.long_work.rules import OPEN, WorkNotFound, WorkState
from council_common.long_work.tables import Work

_C: Any = Work.__table__.c  # type: ignore[attr-defined]


async def get_work(session: AsyncSession, kind: str, subject_id: UUID, *, lock: bool = False) -> Work:
    """The work of a resource; a lock waits for the slice under way. Raises WorkNotFound."""
    work = await session.get(Work, (subject_id, kind), with_for_update=lock or None, populate_existing=True)
    if work is None:
        raise WorkNotFound("Nothing of this kind was begun for this resource.")
    return work


async def works_of(session: AsyncSession, kind: str, subject_ids: Sequence[UUID]) -> dict[UUID, Work]:
    """The work of those resources that have any: for a page of a list."""
    works = await session.scalars(select(Work).where(_C.kind == kind, _C.subject_id.in_(subject_ids)))
    return {work.subject_id: work for work in works}


def state_of(kind: str, id_column: Any) -> ColumnElement[WorkState]:
    """The state of the work of the resource with this id, in a list's filter or its CSV."""
    return select(_C.state).where(_C.subject_id == id_column, _C.kind == kind).scalar_subquery()


def error_code_of(kind: str, id_column: Any) -> ColumnElement[str | None]:
    """The code of the error by which that work failed, likewise."""
    code = _C.error["code"].astext
    return select(code).where(_C.subject_id == id_column, _C.kind == kind).scalar_subquery()


async def behind_all(session: AsyncSession, kind: str) -> int:
    """The turn of work that lets all others of its kind go first."""
    last = await session.scalar(select(func.max(_C.turn)).where(_C.kind == kind, _C.state.in_(OPEN)))
    return (last or 0) + 1


async def next_turn(session: AsyncSession, kind: str, *, at: datetime) -> Work | None:
    """The work that has waited longest for a turn, locked."""
    due = or_(_C.not_before.is_(None), _C.not_before <= at)
    waiting = select(Work).where(_C.kind == kind, _C.state.in_(OPEN), due).order_by(_C.turn, _C.requested_at)
    work: Work | None = await session.scalar(waiting.limit(1).with_for_update(skip_locked=True))
    return work


async def still_mine(session: AsyncSession, taken: Work) -> Work | None:
    """The work as it is now, locked; None when it was cancelled, or another worker has been given it since."""
    work = await get_work(session, taken.kind, taken.subject_id, lock=True)
    return work if work.state is WorkState.RUNNING and work.turn == taken.turn else None


async def open_work(session: AsyncSession, kind: str) -> dict[WorkState, tuple[int, datetime]]:
    """How many pieces wait and run, and when the oldest of each was asked for."""
    counted = select(_C.state, func.count(), func.min(_C.requested_at)).group_by(_C.state)
    rows = await session.execute(counted.where(_C.kind == kind, _C.state.in_(OPEN)))
    return {state: (count, oldest) for state, count, oldest in rows}
