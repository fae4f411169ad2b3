"""Write messages; cancel one by hand, or send it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from council_common.contracts.notifications import MessageFailedV1
from council_common.database.rows import get_row, lock_row
from council_common.errors import BusinessError, FieldError, IllegalMove, Malformed, NotFound, Unavailable
from council_common.identity.actor import SYSTEM, Actor
from council_common.recording import fact, record, record_many
from council_common.service.jobs import wake_job
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.message_templates.rules import TemplateNotFound
from notification_service.message_templates.store import template_named, version_in_use, versions_in_use
from notification_service.message_templates.tables import MessageTemplate
from notification_service.message_templates.values import must_be_written_by_hand, must_fit
from notification_service.messages import changes, store
from notification_service.messages.purposes import AddresseeRole, must_suit
from notification_service.messages.rules import (
    ABOUT_DUNNING_NOTICE,
    CANCELLED_BY_HAND,
    SENT_AGAIN_BY_HAND,
    AlreadyWritten,
    MessageStatus,
    MessageWithdrawn,
    NewMessage,
    NoticeIssuedAnew,
    move,
)
from notification_service.messages.stops import BALANCE, Standing, must_be_about, must_not_be_stopped, reason_to_stop
from notification_service.messages.tables import Message
from notification_service.recipients.directory import FoundRecipients
from notification_service.recipients.rules import RECEIVABLE_UNREADABLE, RECIPIENT_UNKNOWN, NoAddress, RecipientKind

SEND_MESSAGES = "send-messages"
FIRST_VERSION = 1


async def write_messages(
    session: AsyncSession,
    messages: Sequence[NewMessage],
    *,
    at: datetime,
    by: Actor = SYSTEM,
    note: str | None = None,
) -> dict[UUID, UUID]:
    """Write messages to be sent at once; one that was written before is left as it is.

    A message is bound to the version of its template that is in use. A template that is not there yet or not approved
    fails its messages when they are sent (`template_unknown`), so that they are seen. Returns the ids of the new ones
    by what they are about.
    """
    if not messages:
        return {}
    versions = await versions_in_use(session, {message.template for message in messages})
    bound = [(message, versions.get(message.template, FIRST_VERSION)) for message in messages]
    written = await store.insert_messages(session, bound, by=by, at=at)
    if written:
        lines = [changes.written(message_id, note) for message_id in written.values()]
        await record_many(session, lines, by=by, at=at)
        await wake_job(session, SEND_MESSAGES)
    return written


async def template_for(session: AsyncSession, name: str) -> MessageTemplate:
    """The template that an officer names; raises TemplateNotFound."""
    try:
        return await template_named(session, name)
    except TemplateNotFound as unknown:
        wrong = FieldError("template", "is not known here", "a name of /v1/message-templates")
        raise TemplateNotFound(unknown.detail, errors=[wrong]) from None


async def write_by_hand(
    session: AsyncSession,
    message: NewMessage,
    named: MessageTemplate,
    found: FoundRecipients,
    *,
    note: str,
    by: Actor,
    at: datetime,
) -> Message:
    """One message by an officer, with the reason. `found`: what debt-service says of its customer and debt now.

    Raises MessageStopped where the customer or the debt stops it, AlreadyWritten, TemplateNotApproved, and Malformed
    where it does not fit.
    """
    template = await version_in_use(session, named)
    if message.channel not in template.channels:
        wrong = FieldError("channel", "the template is not for this channel", f"one of {', '.join(template.channels)}")
        raise Malformed("The template is not written for this channel.", errors=[wrong])
    must_suit(
        message.purpose,
        named.purpose,
        recipient_kind=message.recipient_kind,
        receivable_id=message.receivable_id,
        addressee=None if message.addressee is None else AddresseeRole(message.addressee["role"]),
    )
    must_be_written_by_hand(template.placeholders)
    must_fit(template.placeholders, message.values)
    if message.recipient_kind is RecipientKind.CUSTOMER:
        _must_be_sendable(message, found)
    written = await write_messages(session, [message], by=by, at=at, note=note)
    if not written:
        raise AlreadyWritten("There is a message of this template about this already; look for it by about_id.")
    return await get_row(session, Message, written[message.about_id])


def _must_be_sendable(message: NewMessage, found: FoundRecipients) -> None:
    try:
        customer = found.recipient((message.recipient_kind, message.recipient_id))
        debt = found.debt(message.receivable_id)
    except NoAddress as unknown:
        raise _not_found_out(unknown) from None
    if debt is not None:
        must_be_about(message.values, debt, customer_id=message.recipient_id)
    standing = Standing(customer, debt, found.holds.get(message.recipient_id, ()))
    must_not_be_stopped(
        reason_to_stop(
            message.purpose,
            standing,
            receivable_id=message.receivable_id,
            stated_pence=message.values.get(BALANCE),
            to_customer=message.addressee is None,
        )
    )


def _not_found_out(unknown: NoAddress) -> BusinessError:
    if unknown.code == RECIPIENT_UNKNOWN:
        wrong = FieldError("recipient.id", "is not known here", "a registered customer")
        return NotFound.of("customer", errors=[wrong])
    if unknown.code == RECEIVABLE_UNREADABLE:
        return NotFound.of("receivable", errors=[FieldError("receivable_id", "is not known here", "a receivable")])
    return Unavailable("debt-service cannot say at the moment whether this may be sent; please try again.")


async def cancel_message(session: AsyncSession, message_id: UUID, *, note: str, by: Actor, at: datetime) -> Message:
    """Cancel a message that has not left; raises IllegalMove when it has, or may be leaving just now."""
    message = await lock_row(session, Message, message_id)
    if message.status is MessageStatus.SENDING:
        raise IllegalMove("The message", message.status, MessageStatus.CANCELLED)
    message.status, message.code = move(message.status, MessageStatus.CANCELLED), CANCELLED_BY_HAND
    cancelled = fact(
        message,
        message.status,
        MessageFailedV1,
        reason=CANCELLED_BY_HAND,
        detail=changes.detail_of(message.attempt, note=note),
        was_sent=message.may_have_left,
    )
    await record(session, cancelled, by=by, at=at)
    return message


async def send_again(session: AsyncSession, message_id: UUID, *, note: str, by: Actor, at: datetime) -> Message:
    """Send a failed message again, with the template in use and the address its recipient has now.

    One of several about the same thing (a warning of old contacts) goes to its own address again.
    Raises MessageWithdrawn where that must not be: the debt was put on hold or paid, the payment came back.
    Raises NoticeIssuedAnew for a dunning notice that never left: debt-service learned it, took the level back, and
    writes the next one by its own rules (holds, balance, the interval between two notices).
    """
    message = await lock_row(session, Message, message_id)
    message.status = move(message.status, MessageStatus.QUEUED)
    if message.withdrawn_code is not None:
        raise MessageWithdrawn(f"The message must not leave any more: {message.withdrawn_code}.")
    if message.about_kind == ABOUT_DUNNING_NOTICE and not message.may_have_left:
        raise NoticeIssuedAnew(
            "This notice never left, and its debt is dunned anew: correct the customer's address; "
            "the next dunning run writes the notice."
        )
    in_use = await versions_in_use(session, [message.template])
    message.code = SENT_AGAIN_BY_HAND
    message.template_version = in_use.get(message.template, FIRST_VERSION)
    # Rendering 0: the words are made anew; those that failed stay under their own number.
    message.rendering, message.body_sha256, message.due_at = 0, None, at
    message.refusals = message.waits = 0
    detail = changes.detail_of(message.attempt, note=note)
    await record(session, fact(message, message.status, reason=SENT_AGAIN_BY_HAND, detail=detail), by=by, at=at)
    await wake_job(session, SEND_MESSAGES)
    return message
