"""Notes and timelines on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from council_common.fields import WITHOUT_ACCOUNT, WITHOUT_NUL, Day, RequestModel
from council_common.notes.rules import NoteChannel
from council_common.web.history import ChangeOut

Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000, pattern=WITHOUT_NUL),
    WITHOUT_ACCOUNT,
]


class NoteIn(RequestModel):
    """What was talked about or found out: `happened_on` is the day of the contact where that was not today, and
    `corrects_id` the earlier note of the same thing that this one puts right. No bank details."""

    channel: NoteChannel
    words: Words
    happened_on: Day | None = None
    corrects_id: UUID | None = None


class NoteOut(BaseModel):
    """A note; `corrected_by_id` is the later note that puts it right, if any. It is never changed."""

    id: UUID
    channel: NoteChannel
    happened_on: date
    words: str
    corrects_id: UUID | None
    corrected_by_id: UUID | None
    recorded_by: str
    recorded_by_name: str
    recorded_at: datetime

    @classmethod
    def of(cls, note: Any, corrected_by_id: UUID | None) -> NoteOut:
        """From a stored note, or a row of the list, and the id of its correction."""
        values = {name: getattr(note, name) for name in cls.model_fields if name != "corrected_by_id"}
        return cls.model_validate({**values, "corrected_by_id": corrected_by_id})


class TimelineEntryOut(BaseModel):
    """One moment in the life of a thing: a change of it, or a note about it; the other is null."""

    at: datetime
    by: str
    by_name: str
    change: ChangeOut | None = None
    note: Annotated[NoteOut | None, Field(description="At the time it was recorded.")] = None
