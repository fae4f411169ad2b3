"""The table of notes; its columns are the platform's, in every service, and nothing in it is ever changed."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from council_common.database.columns import UTC_TIME, EnumText, Listed
from council_common.database.tables import PlatformRow
from council_common.notes.rules import NoteChannel


class Note(Listed, PlatformRow, table=True):
    """What was written about one thing: `about` is its table, `about_id` its id, `happened_on` the day of the contact.

    The database refuses every change. `corrects_id` is the note that this one puts right.
    """

    __tablename__ = "note"
    __table_args__ = (
        Index("ix_note_about_id_recorded_at_id", "about_id", "recorded_at", "id"),
        Index("uq_note_corrects_id", "corrects_id", unique=True, postgresql_where=text("corrects_id IS NOT NULL")),
        # Part of the words, in any case: trigrams, from the extension pg_trgm.
        Index("ix_note_words", text("lower(words) gin_trgm_ops"), postgresql_using="gin"),
    )

    id: UUID = Field(primary_key=True)
    about: str = Field(sa_type=Text)
    about_id: UUID
    channel: NoteChannel = Field(sa_type=EnumText(NoteChannel))
    happened_on: date
    words: str = Field(sa_type=Text)
    corrects_id: UUID | None = Field(default=None, foreign_key="note.id")
    recorded_by: str = Field(sa_type=Text)
    recorded_by_name: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=UTC_TIME)
