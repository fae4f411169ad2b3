"""Write messages, cancel and send them again, and record what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.contracts.notifications import MessageDeliveredV1, MessageEvent, MessageFailedV1, MessageSentV1
from council_common.errors import FieldError, IllegalMove, Malformed
from council_common.events.outbox import publish
from council_common.identity.actor import SYSTEM, Actor
from council_common.ids import new_id
from council_common.service.jobs import wake_job
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.message_templates.rules import NoSuchTemplate, must_fit
from notification_service.message_templates.store import newest_versions, version_of
from notification_service.messages import queries, store
from notification_service.messages.rules import (
    ABOUT_DUNNING_NOTICE,
    AlreadyWritten,
    MessageWithdrawn,
    NewMessage,
    NoticeIssuedAnew,
    Outcome,
    Status,
    move,
)
from notification_service.messages.tables import Message

SEND_MESSAGES = "send-messages"
BY_HAND = "by_hand"
CANCELLED_BY_HAND = "cancelled_by_hand"
FIRST_VERSION = 1


async def write_messages(
    session: AsyncSession, messages: Sequence[NewMessage], *, at: datetime, by: Actor = SYSTEM
) -> dict[UUID, UUID]:
    """Write messages to be sent at once; one that was written before is left as it is.

    Each is bound to the newest version of its template. A template that is not there yet fails its messages when
    they are sent (`template_unknown`), so that they are seen.
    Returns the ids of the new messages by what they are about.
    """
    if not messages:
        return {}
    versions = await newest_versions(session, {each.template for each in messages})
    bound = [(each, versions.get(each.template, FIRST_VERSION)) for each in messages]
    written = await store.insert_messages(session, bound, by=by, at=at)
    if written:
        await wake_job(session, SEND_MESSAGES)
    return written


async def write_by_hand(session: AsyncSession, message: NewMessage, *, by: Actor, at: datetime) -> Message:
    """One message by an officer; raises AlreadyWritten, or Malformed where the template does not fit."""
    try:
        template = await version_of(session, message.template)
    except NoSuchTemplate as unknown:
        raise Malformed(unknown.detail, errors=[FieldError("template", "there is no such template")]) from None
    if message.channel not in template.channels:
        wrong = FieldError("channel", "the template is not for this channel", f"one of {', '.join(template.channels)}")
        raise Malformed("The template is not written for this channel.", errors=[wrong])
    must_fit(template.placeholders, message.values)
    written = await write_messages(session, [message], by=by, at=at)
    if not written:
        raise AlreadyWritten("There is a message of this template about this already; look for it by about_id.")
    return await queries.message_of(session, written[message.about_id])


def about_itself() -> tuple[str, UUID]:
    """What a message by hand is about when nobody said: nothing else, so each is one of its own."""
    return BY_HAND, new_id()


async def cancel_message(
    session: AsyncSession, message_id: UUID, *, by: Actor, at: datetime, reason: str | None = None
) -> Message:
    """Cancel a message that has not left; raises IllegalMove when it has, or may be leaving just now."""
    message = await store.lock_message(session, message_id)
    if message.status == Status.SENDING:
        raise IllegalMove("The message", message.status, Status.CANCELLED)
    await _change(session, message, Status.CANCELLED, by=by, at=at, code=CANCELLED_BY_HAND, explanation=reason)
    await publish(session, _failed(message, CANCELLED_BY_HAND, by=by, at=at))
    return message


async def send_again(
    session: AsyncSession, message_id: UUID, *, by: Actor, at: datetime, reason: str | None = None
) -> Message:
    """Send a failed message again, with the newest template and the address its recipient has now.

    One of several about the same thing (a warning of old contacts) goes to its own address again.
    Raises MessageWithdrawn where that must not be: the debt was put on hold or paid, the payment came back.
    Raises NoticeIssuedAnew for a dunning notice that never left: debt-service was told so, took the level back, and
    writes the next one by its own rules (holds, balance, the interval between two letters).
    """
    message = await store.lock_message(session, message_id)
    move(Status(message.status), Status.QUEUED)
    if message.withdrawn_code is not None:
        raise MessageWithdrawn(f"The message must not leave any more: {message.withdrawn_code}.")
    if message.about_kind == ABOUT_DUNNING_NOTICE and not message.may_have_left:
        raise NoticeIssuedAnew(
            "This notice never left, and its debt is dunned anew: correct the customer's address; "
            "the next dunning run writes the notice."
        )
    await _change(session, message, Status.QUEUED, by=by, at=at, code="sent_again_by_hand", explanation=reason)
    newest = await newest_versions(session, [message.template])
    message.template_version = newest.get(message.template, FIRST_VERSION)
    # Rendering 0: the words are made anew; those that failed stay in the log under their own number.
    message.rendering, message.body_sha256, message.due_at = 0, None, at
    message.refusals = message.waits = 0
    await wake_job(session, SEND_MESSAGES)
    return message


async def _change(
    session: AsyncSession,
    message: Message,
    wanted: Status,
    *,
    by: Actor,
    at: datetime,
    code: str,
    explanation: str | None,
) -> None:
    message.status = move(Status(message.status), wanted).value
    message.version += 1
    message.code = code
    entry = store.log_entry(
        message.id,
        version=message.version,
        status=wanted,
        attempt=message.attempt,
        at=at,
        by=by,
        code=code,
        explanation=explanation,
    )
    await store.add_log_entries(session, [entry])


async def withdraw_messages(
    session: AsyncSession, about_kind: str, about_ids: Sequence[UUID], *, code: str, at: datetime
) -> None:
    """What was written about some things does not leave any more, for this reason.

    Queued messages are cancelled at once. One whose attempt is under way may still get through; if it does not, it
    is cancelled then instead of being tried again. Failed ones cannot be sent again.
    """
    await _tell_cancelled(session, await store.withdraw_about(session, about_kind, about_ids, code=code, at=at), at=at)


async def withdraw_notices(session: AsyncSession, receivable_ids: Sequence[UUID], *, code: str, at: datetime) -> None:
    """The same for the dunning notices about some receivables (receivables.md §1.5 D4, §2.3)."""
    await _tell_cancelled(session, await store.withdraw_notices(session, receivable_ids, code=code, at=at), at=at)


async def end_withdrawn(session: AsyncSession, *, at: datetime) -> None:
    """Cancel withdrawn messages whose attempt did not get through, or was cut off and its lease is over."""
    await _tell_cancelled(session, await store.end_withdrawn(session, at=at), at=at)


async def _tell_cancelled(session: AsyncSession, rows: Iterable[Row[Any]], *, at: datetime) -> None:
    await publish(session, *(_failed(row, row.code, by=SYSTEM, at=at) for row in rows))


async def record_outcomes(session: AsyncSession, outcomes: Sequence[Outcome], *, at: datetime) -> int:
    """Record what became of attempts and tell the others; returns how many were recorded."""
    if not outcomes:
        return 0
    recorded = await store.finish(session, outcomes, at=at)
    events: list[MessageEvent] = []
    for outcome, row in recorded:
        if outcome.status is Status.DELIVERED:
            events.append(MessageSentV1(**_told(row, by=SYSTEM, at=at) | {"version": row.version - 1}))
            events.append(MessageDeliveredV1(**_told(row, by=SYSTEM, at=at)))
        elif outcome.status in {Status.FAILED, Status.CANCELLED}:
            events.append(_failed(row, outcome.code, by=SYSTEM, at=at))
    await publish(session, *events)
    await end_withdrawn(session, at=at)
    return len(recorded)


def _failed(row: Any, reason: str, *, by: Actor, at: datetime) -> MessageFailedV1:
    # "Never left" is evidence and lets a debt be dunned anew: said only where no attempt was cut off half-way. A bounce
    # that comes after the server took a message is not read yet.
    return MessageFailedV1(**_told(row, by=by, at=at), reason=reason, was_sent=row.may_have_left)


def _told(row: Any, *, by: Actor, at: datetime) -> dict[str, Any]:
    """What every event tells of a message: ids and codes, nothing of what it says or to whom."""
    return {
        "message_id": row.id,
        "version": row.version,
        "template": row.template,
        "template_version": row.template_version,
        "channel": row.channel,
        "about_kind": row.about_kind,
        "about_id": row.about_id,
        "occurred_at": at,
        "by": by.subject,
    }
