"""A hold and its release have one shape everywhere: a reason code and a note, always, and who and when."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from pydantic import BaseModel

from council_common.errors import Conflict
from council_common.fields import RequestModel, Sentence


class ReleaseReason(StrEnum):
    """Why a hold ended."""

    RESOLVED = "resolved"
    PLACED_IN_ERROR = "placed_in_error"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    OTHER = "other"


class HoldReleased(Conflict):
    """The hold was released before."""

    code = "hold-already-released"


class Releasable(Protocol):
    """A stored hold."""

    released_at: datetime | None


def must_stand(hold: Releasable) -> None:
    """Raise HoldReleased for a hold that was released."""
    if hold.released_at is not None:
        raise HoldReleased("This hold was released before.")


class HoldRequest(RequestModel):
    """What every request for a hold has; a room adds its own `reason` code."""

    note: Sentence


class ReleaseIn(RequestModel):
    """Why a hold ends: a code, and a sentence for whoever reads the history."""

    reason: ReleaseReason
    note: Sentence


class HoldAnswer(BaseModel):
    """What every answer about a hold has; a room adds what is held.

    Who placed and who released it is a subject id and the name it had then.
    """

    id: UUID
    reason: str
    note: str | None
    placed_by: str
    placed_by_name: str
    placed_at: datetime
    released_by: str | None
    released_by_name: str | None
    released_at: datetime | None
    release_reason: ReleaseReason | None
    release_note: str | None
