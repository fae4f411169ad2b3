"""The statements on notes, and on a thing's changes and notes together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.tables import change
from council_common.errors import NotFound
from council_common.notes.tables import Note
from council_common.web.keyset import Order, fetch_page

_NOTE: Any = Note.__table__  # type: ignore[attr-defined]


async def get_note(session: AsyncSession, about: str, about_id: UUID, note_id: UUID) -> Any:
    """One note about a thing. Raises NotFound, also for a note about something else."""
    of_it = (_NOTE.c.id == note_id, _NOTE.c.about == about, _NOTE.c.about_id == about_id)
    found = (await session.execute(select(_NOTE).where(*of_it))).one_or_none()
    if found is None:
        raise NotFound.of("note")
    return found


async def corrections_of(session: AsyncSession, note_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The ids of the notes that put some others right, by the ids of those."""
    statement = select(_NOTE.c.corrects_id, _NOTE.c.id).where(_NOTE.c.corrects_id.in_(note_ids))
    return {row.corrects_id: row.id for row in await session.execute(statement)} if note_ids else {}


async def timeline_page(
    session: AsyncSession, about: str, about_id: UUID, *, limit: int, cursor: str | None
) -> tuple[list[tuple[Any, Any]], str | None]:
    """One page of the changes of a thing and the notes about it, oldest first, each as (change, None) or (None, note);
    and the cursor of the next."""
    changes = select(change.c.id, change.c.at, literal(True).label("is_change")).where(change.c.entity_id == about_id)
    notes = select(_NOTE.c.id, _NOTE.c.recorded_at.label("at"), literal(False)).where(
        _NOTE.c.about == about, _NOTE.c.about_id == about_id
    )
    both = union_all(changes, notes).subquery()
    rows, following = await fetch_page(
        session, select(both), Order("at", both.c.at, both.c.id), limit=limit, cursor=cursor
    )
    ids = [row.id for row in rows]
    changed = {row.id: row for row in await session.execute(select(change).where(change.c.id.in_(ids)))}
    noted = {row.id: row for row in await session.execute(select(_NOTE).where(_NOTE.c.id.in_(ids)))}
    return [(changed.get(id_), noted.get(id_)) for id_ in ids], following
