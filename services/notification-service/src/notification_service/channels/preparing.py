"""A claimed batch made ready to leave: recipients found, words made, envelopes addressed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from council_common.observability.logs import get_logger
from council_common.runtime.service_runtime import Runtime

from notification_service.channels.mail import email_bytes, letter_bytes
from notification_service.channels.rules import Attempt, Envelope, result_of_failure, result_of_not_started
from notification_service.channels.wording import addressee_of, put_into_words, says_the_same, template_key
from notification_service.failed_addresses.rules import compared
from notification_service.failed_addresses.store import failed_among
from notification_service.message_templates.rules import CannotRender, Channel
from notification_service.message_templates.store import approved_versions
from notification_service.message_templates.tables import MessageTemplateVersion
from notification_service.messages import store
from notification_service.messages.rules import (
    ABOUT_BANK_ACCOUNT_CHANGE,
    ABOUT_DUNNING_NOTICE,
    ATTEMPTS_CUT_OFF,
    MOST_CUT_OFF,
    AttemptResult,
    MessageStatus,
)
from notification_service.messages.stops import BALANCE, Standing, reason_to_stop
from notification_service.messages.tables import Message, Rendering
from notification_service.recipients.directory import (
    FoundRecipients,
    RecipientKey,
    find_debts,
    find_holds,
    find_recipients,
    find_warning_contacts,
)
from notification_service.recipients.rules import BANK_ACCOUNT_CHANGE_WARNING, NoAddress, RecipientKind, email_addresses
from notification_service.settings import Settings, settings_of

log = get_logger()


class _Stopped(Exception):
    """This message must not leave any more; `code` is why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Prepared:
    """A batch on its way: what can leave, in which words; what ended before it could; who else is written to."""

    envelopes: list[Envelope] = field(default_factory=list)
    renderings: list[Rendering] = field(default_factory=list)
    results: list[AttemptResult] = field(default_factory=list)
    addresses: dict[UUID, str] = field(default_factory=dict)
    channels: dict[UUID, str] = field(default_factory=dict)
    copies: list[tuple[UUID, int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Known:
    """What is known before a batch is put into words."""

    templates: dict[tuple[str, int], MessageTemplateVersion]
    kept: dict[UUID, Rendering]
    found: FoundRecipients
    failed: frozenset[str]


async def prepare(runtime: Runtime, claimed: Sequence[Message], *, at: datetime, deadline: float) -> Prepared:
    """Every claimed message as an envelope or a result.

    Recipients and debts are asked for whenever a message is about to leave. One that the server may have already keeps
    its words and its address; every other is put into words anew: nothing leaves to an old address or with old days.

    The words of some may take long to make: after `deadline` (the loop's time) the others wait for the next batch, so
    that those that are ready leave while their lease holds.
    """
    settings = settings_of(runtime)
    known = await _known(runtime, claimed)
    prepared = Prepared()
    for message in claimed:
        if asyncio.get_running_loop().time() > deadline:
            prepared.results.append(result_of_not_started(_attempt(message), at=at))
            continue
        if message.cut_off >= MOST_CUT_OFF:
            prepared.results.append(failure_of(message, ATTEMPTS_CUT_OFF, at=at))
            continue
        try:
            await _prepare_one(prepared, message, known, settings, at=at)
        except _Stopped as stopped:
            cancelled = AttemptResult(message.id, message.attempt, MessageStatus.CANCELLED, stopped.code)
            prepared.results.append(cancelled)
        except NoAddress as missing:
            prepared.results.append(
                failure_of(message, missing.code, at=at, final=missing.final, explanation=missing.explanation)
            )
        except CannotRender as wrong:
            prepared.results.append(_cannot_render(message, wrong, at=at))
        except Exception as fault:
            # A fault of ours in one message must not keep the others of its batch from leaving.
            log.error("message_not_prepared", message_id=str(message.id), exc_info=fault)
            prepared.results.append(failure_of(message, "not_prepared", at=at, final=False))
    return prepared


async def _known(runtime: Runtime, claimed: Sequence[Message]) -> _Known:
    new = [message for message in claimed if not message.may_have_left]
    in_words = {message.id: message.rendering for message in claimed if message.rendering}
    async with runtime.sessions() as session:
        templates = await approved_versions(session, {template_key(message) for message in new})
        kept = await store.renderings_of(session, in_words)
    asked = {_recipient_key(message) for message in claimed if not message.may_have_left or _is_to_debtor(message)}
    found = await find_recipients(runtime.clients, asked)
    await find_debts(runtime.clients, found, {message.receivable_id for message in claimed if message.receivable_id})
    await find_holds(runtime.clients, found, {message.recipient_id for message in claimed if _was_by_hand(message)})
    changes = {message.about_id for message in new if _has_many_addresses(message)}
    await find_warning_contacts(runtime.clients, found, changes)
    recipients = [*found.recipients.values(), *filter(None, map(addressee_of, new))]
    addresses = {compared(address) for recipient in recipients for address in email_addresses(recipient)}
    async with runtime.sessions() as session:
        failed = await failed_among(session, addresses)
    return _Known(templates, kept, found, failed)


async def _prepare_one(
    prepared: Prepared, message: Message, known: _Known, settings: Settings, *, at: datetime
) -> None:
    if _is_to_debtor(message):
        _must_not_be_stopped(message, known.found)
    kept = known.kept.get(message.id)
    if kept is not None and message.may_have_left:
        prepared.envelopes.append(_envelope(message, message.channel, kept, settings, at=at))
        return
    recipient = addressee_of(message) or known.found.recipient(_recipient_key(message))
    address = message.address
    if _has_many_addresses(message):
        address, *others = known.found.addresses_to_warn(message.about_id)
        prepared.addresses[message.id] = address
        prepared.copies += [(message.id, number, other) for number, other in enumerate(others, start=1)]
    channel, rendering = await put_into_words(
        message, known.templates, recipient, settings, address=address, failed=known.failed, at=at
    )
    if channel != message.channel:
        prepared.channels[message.id] = channel
    if kept is not None and says_the_same(kept, rendering):
        rendering = kept
    else:
        prepared.renderings.append(rendering)
    prepared.envelopes.append(_envelope(message, channel, rendering, settings, at=at))


def _must_not_be_stopped(message: Message, found: FoundRecipients) -> None:
    customer, debt = found.recipient(_recipient_key(message)), found.debt(message.receivable_id)
    code = reason_to_stop(
        message.purpose,
        Standing(customer, debt, found.holds.get(message.recipient_id, ())),
        receivable_id=message.receivable_id,
        stated_pence=message.facts.get(BALANCE),
        to_customer=message.to_customer,
    )
    if code is not None:
        raise _Stopped(code)


def _cannot_render(message: Message, wrong: CannotRender, *, at: datetime) -> AttemptResult:
    return failure_of(message, wrong.code, at=at, final=wrong.final, explanation=wrong.explanation)


def _recipient_key(message: Message) -> RecipientKey:
    return message.recipient_kind, message.recipient_id


def _is_to_debtor(message: Message) -> bool:
    return message.recipient_kind is RecipientKind.CUSTOMER


def _was_by_hand(message: Message) -> bool:
    # A notice's holds are flags of its debt and customer, which are asked for in bulk.
    return _is_to_debtor(message) and message.about_kind != ABOUT_DUNNING_NOTICE


def _has_many_addresses(message: Message) -> bool:
    """Whether a message goes to several addresses that are not known yet, one by one: the warning of old contacts."""
    is_warning = message.template == BANK_ACCOUNT_CHANGE_WARNING and message.about_kind == ABOUT_BANK_ACCOUNT_CHANGE
    return is_warning and message.channel == Channel.EMAIL and message.address is None


def failure_of(
    message: Message, code: str, *, at: datetime, final: bool = True, explanation: str | None = None
) -> AttemptResult:
    """The result of an attempt that failed before the mail server was asked."""
    return result_of_failure(_attempt(message), code, at=at, final=final, explanation=explanation)


def _attempt(message: Message) -> Attempt:
    return Attempt(message.id, message.attempt, message.refusals, message.waits)


def _envelope(message: Message, channel: str, rendering: Rendering, settings: Settings, *, at: datetime) -> Envelope:
    if channel == Channel.LETTER:
        recipient = settings.print_room_mailbox
        content = letter_bytes(
            rendering,
            sender=settings.mail_from,
            sender_name=settings.council_name,
            print_room=settings.print_room_mailbox,
            at=at,
        )
    else:
        (recipient,) = rendering.sent_to
        content = email_bytes(rendering, sender=settings.mail_from, sender_name=settings.council_name, at=at)
    return Envelope(_attempt(message), Channel(channel), recipient, content)
