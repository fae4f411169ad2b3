"""The life of a message: its states, why it fails, when it is tried again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from council_common import errors
from council_common.errors import Conflict, NotFound

from notification_service.messages.purposes import Purpose
from notification_service.recipients.rules import RecipientKind


class MessageStatus(StrEnum):
    """Where a message stands. `delivered`, `failed` and `cancelled` are where it rests."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


NEXT: dict[MessageStatus, frozenset[MessageStatus]] = {
    MessageStatus.QUEUED: frozenset({MessageStatus.SENDING, MessageStatus.CANCELLED}),
    # Sending again: the attempt before was cut off (crash) and its lease is over. Cancelled: withdrawn meanwhile.
    MessageStatus.SENDING: frozenset(
        {
            MessageStatus.SENDING,
            MessageStatus.SENT,
            MessageStatus.QUEUED,
            MessageStatus.FAILED,
            MessageStatus.CANCELLED,
        }
    ),
    MessageStatus.SENT: frozenset({MessageStatus.DELIVERED}),
    MessageStatus.DELIVERED: frozenset(),
    MessageStatus.FAILED: frozenset({MessageStatus.QUEUED}),
    MessageStatus.CANCELLED: frozenset(),
}

ABOUT_DUNNING_NOTICE = "dunning_notice"
ABOUT_BANK_ACCOUNT_CHANGE = "bank_account_change"
ABOUT_PAYMENT = "payment"
BY_HAND = "by_hand"
WRITTEN_FOR_EVENTS = frozenset({ABOUT_DUNNING_NOTICE, ABOUT_BANK_ACCOUNT_CHANGE, ABOUT_PAYMENT})
"""What officers do not write about: what becomes of such a message proves something, and there is only one."""

CARRIER_AWAY = "carrier_away"
"""The mail server does not let us in: nothing is tried until the wait of the message that found out is over."""
MOST_CUT_OFF = 5
ATTEMPTS_CUT_OFF = "attempts_cut_off"
"""The worker died over so many attempts in a row, the last three with this message alone: it is set aside."""
CANCELLED_BY_HAND = "cancelled_by_hand"
SENT_AGAIN_BY_HAND = "sent_again_by_hand"


class NotYetWorded(NotFound):
    """The message has no words yet under this number: they are made when it leaves."""

    code = "rendering-not-found"


class AlreadyWritten(Conflict):
    """There is a message with this template about this thing."""

    code = "message-already-written"


class MessageWithdrawn(Conflict):
    """What the message is about has changed since: it must not leave any more."""

    code = "message-withdrawn"


class NoticeIssuedAnew(Conflict):
    """A dunning notice that never left is issued anew by debt-service: sent again here, it would be sent twice."""

    code = "dunning-notice-issued-anew"


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be: a template, its values, to whom and about what. One per (about, template).

    `receivable_id` is the debt whose facts stop it: another balance, a hold. `addressee` is who is written to in the
    customer's place: role, name, email, address. `caused_by` is the aggregate whose event it is written for, where it
    is: its trace goes on when the message leaves.
    """

    template: str
    channel: str
    recipient_kind: RecipientKind
    recipient_id: UUID
    about_kind: str
    about_id: UUID
    purpose: Purpose
    values: dict[str, Any] = field(default_factory=dict)
    reference: str | None = None
    receivable_id: UUID | None = None
    addressee: dict[str, Any] | None = None
    caused_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What became of one attempt; recorded only while that attempt is the latest.

    `refusals`: how often the recipient's side has answered "later". `waits`: how often in a row our own side was
    away. `due_at` only when queued again. `may_have_left`: the server was lost before it answered for the message.
    """

    message_id: UUID
    attempt: int
    status: MessageStatus
    code: str
    refusals: int = 0
    waits: int = 0
    due_at: datetime | None = None
    explanation: str | None = None
    may_have_left: bool = False

    @property
    def steps(self) -> int:
        """How many versions the message takes: a delivered message was sent first."""
        return 2 if self.status is MessageStatus.DELIVERED else 1


def move(current: MessageStatus, wanted: MessageStatus) -> MessageStatus:
    """The wanted status; raises IllegalMove when the current one does not lead there."""
    return errors.move(NEXT, current, wanted, thing="The message")


def body_sha256(text: str, html: str | None) -> str:
    """The hash that proves a body: of the text in UTF-8 and, after a NUL, of the HTML where there is one."""
    return hashlib.sha256(text.encode() + (b"\0" + html.encode() if html is not None else b"")).hexdigest()
