"""What the history of a message says of a change, and what other services learn of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from council_common.contracts.notifications import MessageDeliveredV1, MessageEvent, MessageFailedV1, MessageSentV1
from council_common.recording import Change

from notification_service.messages.rules import AttemptResult, MessageStatus
from notification_service.messages.tables import Message

_PUBLISHED = ("template", "template_version", "channel", "about_kind", "about_id")
_ENDED_BADLY = (MessageStatus.FAILED, MessageStatus.CANCELLED)


def written(message_id: UUID, note: str | None = None) -> Change:
    """The first line: the message is queued, and why where an officer wrote it."""
    return Change("message", message_id, 1, MessageStatus.QUEUED, detail=detail_of(0, note=note))


def claimed(message: Message) -> Change:
    """An attempt has begun."""
    return Change("message", message.id, message.version, message.status, detail=detail_of(message.attempt))


def attempted(result: AttemptResult, message: Message) -> list[Change]:
    """How an attempt ended. A delivered message was sent first, with a version and an event of its own."""
    detail = detail_of(result.attempt, result.explanation)
    if result.status is MessageStatus.DELIVERED:
        delivered = _changed(message, MessageDeliveredV1, detail)
        sent = delivered._replace(
            version=message.version - 1, action=MessageStatus.SENT, event=MessageSentV1, reason=None
        )
        return [sent, delivered]
    return [_failed(message, detail) if result.status in _ENDED_BADLY else _changed(message, None, detail)]


def cancelled(message: Message) -> Change:
    """It was withdrawn before it left. Its event carries the trace of what withdrew it, found by the receivable."""
    failed = _failed(message, detail_of(message.attempt))
    return failed._replace(caused_by=message.receivable_id, traceparent=None)


def detail_of(attempt: int, explanation: str | None = None, note: str | None = None) -> dict[str, Any]:
    """Which attempt; what a mail server answered; what an officer wrote."""
    optional = {"explanation": explanation, "note": note}
    return {"attempt": attempt} | {name: text for name, text in optional.items() if text is not None}


def _changed(message: Message, event: type[MessageEvent] | None, detail: dict[str, Any], **more: Any) -> Change:
    """Its event has ids and codes of it, nothing of its words or its recipient."""
    fields = {name: getattr(message, name) for name in _PUBLISHED} | more
    about = message.id, message.version, message.status, event, message.code, detail
    return Change("message", *about, fields=fields, traceparent=message.traceparent)


def _failed(message: Message, detail: dict[str, Any]) -> Change:
    # "Never left" is evidence and lets a debt be dunned anew: only where no attempt was cut off half-way. A bounce that
    # comes after the server took a message is not read yet.
    return _changed(message, MessageFailedV1, detail, was_sent=message.may_have_left)
