"""Writing a note down. It is no fact about the thing: the thing's version stays, and no event is published."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from asyncpg import UniqueViolationError
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.clock import london_date
from council_common.errors import not_in_future
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.notes.rules import NoteAlreadyCorrected, NoteChannel
from council_common.notes.store import get_note
from council_common.notes.tables import Note
from council_common.recording import record


async def add_note(
    session: AsyncSession,
    about: str,
    about_id: UUID,
    *,
    channel: NoteChannel,
    words: str,
    happened_on: date | None,
    corrects_id: UUID | None,
    by: Actor,
    at: datetime,
) -> Note:
    """Write a note about a thing that is there. Raises DateInFuture, NotFound (`note-not-found`: the one to be
    corrected is not one of this thing) and NoteAlreadyCorrected."""
    if happened_on is not None:
        not_in_future("happened_on", happened_on, today=london_date(at))
    if corrects_id is not None:
        await get_note(session, about, about_id, corrects_id)
    note = Note(
        id=new_id(),
        about=about,
        about_id=about_id,
        channel=channel,
        happened_on=happened_on or london_date(at),
        words=words,
        corrects_id=corrects_id,
        recorded_by=by.subject,
        recorded_by_name=by.name,
        recorded_at=at,
    )
    try:
        await record(session, also=[note], by=by, at=at)
    except UniqueViolationError as taken:
        if taken.constraint_name != "uq_note_corrects_id":
            raise
        raise NoteAlreadyCorrected("This note has a correction already: correct that one.") from None
    return note
