"""What the history of a message says of a change, and what other services learn of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.contracts.notifications import MessageDeliveredV1, MessageFailedV1, MessageSentV1
from council_common.events.contract import Event
from council_common.events.envelope import WrittenEvent
from council_common.identity.actor import SYSTEM
from council_common.recording import Change

from notification_service.messages.rules import ABOUT_DUNNING_NOTICE, AttemptResult, MessageStatus
from notification_service.messages.tables import Message

_ENDED_BADLY = (MessageStatus.FAILED, MessageStatus.CANCELLED)


def written(message_id: UUID) -> Change:
    """The first line: the message is queued."""
    return Change("message", message_id, 1, MessageStatus.QUEUED, detail=detail_of(0))


def claimed(message: Message) -> Change:
    """An attempt has begun."""
    return Change("message", message.id, message.version, message.status, detail=detail_of(message.attempt))


def attempted(result: AttemptResult, message: Message, *, at: datetime) -> list[Change]:
    """How an attempt ended. A delivered message was sent first, with a version and an event of its own."""
    detail = detail_of(result.attempt, result.explanation)
    if result.status is MessageStatus.DELIVERED:
        before = message.version - 1
        sent = MessageSentV1(**_event_fields(message, at) | {"version": before})
        delivered = MessageDeliveredV1(**_event_fields(message, at))
        return [
            Change("message", message.id, before, MessageStatus.SENT, sent, detail=detail),
            _changed(message, delivered, detail),
        ]
    event = _failed(message, at) if result.status in _ENDED_BADLY else None
    return [_changed(message, event, detail)]


def cancelled(message: Message, *, at: datetime) -> Change:
    """It was withdrawn before it left. Its event carries the trace of what withdrew it, found by the receivable."""
    failed = _failed(message, at)
    cause = UUID(message.facts["receivable_id"]) if message.about_kind == ABOUT_DUNNING_NOTICE else None
    event = WrittenEvent(MessageFailedV1, message.id, at, failed.model_dump_json(), cause)
    return _changed(message, event, detail_of(message.attempt))


def detail_of(attempt: int, explanation: str | None = None, note: str | None = None) -> dict[str, Any]:
    """Which attempt; what a mail server answered; what an officer wrote."""
    optional = {"explanation": explanation, "note": note}
    return {"attempt": attempt} | {name: text for name, text in optional.items() if text is not None}


def _changed(message: Message, event: Event | WrittenEvent | None, detail: dict[str, Any]) -> Change:
    return Change("message", message.id, message.version, message.status, event, message.code, detail)


def _failed(message: Message, at: datetime) -> MessageFailedV1:
    # "Never left" is evidence and lets a debt be dunned anew: only where no attempt was cut off half-way. A bounce that
    # comes after the server took a message is not read yet.
    return MessageFailedV1(**_event_fields(message, at), reason=message.code, was_sent=message.may_have_left)


def _event_fields(message: Message, at: datetime) -> dict[str, Any]:
    """What every event has of a message: ids and codes, nothing of its words or its recipient."""
    return {
        "message_id": message.id,
        "version": message.version,
        "template": message.template,
        "template_version": message.template_version,
        "channel": message.channel,
        "about_kind": message.about_kind,
        "about_id": message.about_id,
        "occurred_at": at,
        "by": SYSTEM.subject,
    }
