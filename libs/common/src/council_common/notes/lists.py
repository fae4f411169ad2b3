"""What the notes of a thing are narrowed by, sorted by, and shown as CSV; and things by the words of their notes."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, and_, select

from council_common.fields import Day, TextFilter
from council_common.notes.rules import NoteChannel
from council_common.notes.tables import Note
from council_common.web.lists import ResourceList, Where

_T: Any = Note.__table__  # type: ignore[attr-defined]


def _words_have(part: str) -> ColumnElement[bool]:
    have_it: ColumnElement[bool] = _T.c.words.icontains(part, autoescape=True)
    return have_it


def _is_current(wanted: bool) -> ColumnElement[bool]:
    later = _T.alias()
    corrected = select(later.c.id).where(later.c.corrects_id == _T.c.id).exists()
    return ~corrected if wanted else corrected


class NoteList(
    ResourceList,
    of=Note,
    sorts=("recorded_at",),
    default="-recorded_at",
    csv=("id", "happened_on", "channel", "words", "corrects_id", "recorded_by_name", "recorded_at"),
):
    """The notes about one thing that meet every condition given, newest first; `_from` and `_to` are inclusive."""

    channel: NoteChannel | None = None
    recorded_by: TextFilter | None = None
    happened_from: Day | None = None
    happened_to: Day | None = None
    recorded_from: Day | None = None
    recorded_to: Day | None = None
    current: Annotated[
        bool | None, Where(_is_current), Field(description="Not corrected by a later note; false: corrected.")
    ] = None
    q: Annotated[
        TextFilter | None, Where(_words_have), Field(min_length=2, description="Part of the words, in any case.")
    ] = None


def noted(about: str, id_column: ColumnElement[UUID]) -> Where:
    """The condition of a list's `note`: things of a table with a note that has these words."""

    def has_note(part: str) -> ColumnElement[bool]:
        return id_column.in_(select(_T.c.about_id).where(and_(_T.c.about == about, _words_have(part))))

    return Where(has_note)


NoteFilter: TypeAlias = Annotated[
    TextFilter, Field(min_length=2, description="Part of the words of a note about it, in any case.")
]
"""`note: Annotated[NoteFilter | None, noted("supplier", _C.id)] = None` in the list of a thing that has notes."""
