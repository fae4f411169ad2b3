"""The life of a message: its states, why it fails, when it is tried again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from council_common.errors import Conflict, IllegalMove, NotFound

from notification_service.recipients.rules import RecipientKind


class Status(StrEnum):
    """Where a message stands. `delivered`, `failed` and `cancelled` are where it rests."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


NEXT: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.SENDING, Status.CANCELLED}),
    # Sending again: the attempt before was cut off (crash) and its lease is over.
    Status.SENDING: frozenset({Status.SENDING, Status.SENT, Status.QUEUED, Status.FAILED}),
    Status.SENT: frozenset({Status.DELIVERED}),
    Status.DELIVERED: frozenset(),
    Status.FAILED: frozenset({Status.QUEUED}),
    Status.CANCELLED: frozenset(),
}

CARRIER_AWAY = "carrier_away"
RECIPIENT_SERVICE_AWAY = "recipient_service_away"
OUR_SIDE = frozenset({CARRIER_AWAY, RECIPIENT_SERVICE_AWAY, "sender_refused", "not_started"})
"""Reasons that say nothing about the recipient: such a message is tried until it works."""

MAX_REFUSALS = 8
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=4)
_LONGEST_WAIT_OUR_SIDE = timedelta(minutes=1)


class NoSuchMessage(NotFound):
    code = "no-such-message"


class AlreadyWritten(Conflict):
    """There is a message with this template about this thing."""

    code = "message-already-written"


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be: a template, its values, to whom and about what. One per (about, template)."""

    template: str
    channel: str
    recipient_kind: RecipientKind
    recipient_id: UUID
    about_kind: str
    about_id: UUID
    values: dict[str, Any] = field(default_factory=dict)
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt; recorded only while that attempt is the latest. `due_at` only when queued again."""

    message_id: UUID
    attempt: int
    status: Status
    code: str
    failures: int = 0
    due_at: datetime | None = None
    explanation: str | None = None

    @property
    def steps(self) -> int:
        """How many entries the log gets: a delivered message was sent first."""
        return 2 if self.status is Status.DELIVERED else 1


def move(current: Status, wanted: Status) -> Status:
    """The wanted status; raises IllegalMove when the current one does not lead there."""
    if wanted not in NEXT[current]:
        raise IllegalMove("The message", current, wanted)
    return wanted


def wait_before_retry(code: str, failures: int) -> timedelta | None:
    """How long to wait after the n-th failure in a row; None when it is time to give up.

    A mail server that says "later" (4xx) is asked 8 times in about 14 hours; our own side being away never ends
    a message.

    >>> [str(wait_before_retry("address_busy", n)) for n in (1, 2, 3, 7)]
    ['0:01:00', '0:04:00', '0:16:00', '4:00:00']
    >>> wait_before_retry("address_busy", 8) is None, str(wait_before_retry("carrier_away", 500))
    (True, '0:01:00')
    """
    if code in OUR_SIDE:
        return min(timedelta(seconds=5 * (1 << min(failures - 1, 10))), _LONGEST_WAIT_OUR_SIDE)
    if failures >= MAX_REFUSALS:
        return None
    return min(_FIRST_WAIT * (1 << 2 * (failures - 1)), _LONGEST_WAIT)


def body_sha256(text: str, html: str | None) -> str:
    """The hash that proves a body: of the text in UTF-8 and, after a NUL, of the HTML where there is one."""
    return hashlib.sha256(text.encode() + (b"\0" + html.encode() if html is not None else b"")).hexdigest()


@dataclass(frozen=True, slots=True)
class Period:
    """Messages made from one day to another, both included (London)."""

    first: date | None = None
    last: date | None = None
