"""By which way an officer and a supplier or customer talked, and what becomes of a note that was wrong."""

from __future__ import annotations

from enum import StrEnum

from council_common.errors import Conflict


class NoteChannel(StrEnum):
    """How what is noted came about; `internal` is a note without a contact."""

    PHONE = "phone"
    EMAIL = "email"
    LETTER = "letter"
    TEXT_MESSAGE = "text_message"
    VISIT = "visit"
    MEETING = "meeting"
    ONLINE = "online"
    INTERNAL = "internal"
    OTHER = "other"


class NoteAlreadyCorrected(Conflict):
    """A note has one correction; what is wrong with that is corrected there."""

    code = "note-already-corrected"
