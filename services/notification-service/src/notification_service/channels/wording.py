"""Putting a message into words: its template, its values, and the address of its recipient for the channel."""

from __future__ import annotations

from collections.abc import Container, Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from council_common.clock import london_date
from council_common.contact_details.email_addresses import usable_email_address

from notification_service.channels.rules import SENDABLE
from notification_service.message_templates.rules import CannotRender, Channel, missing_placeholders
from notification_service.message_templates.tables import MessageTemplateVersion
from notification_service.message_templates.usecases import always_there, fill_in
from notification_service.messages.rules import ABOUT_DUNNING_NOTICE, body_sha256
from notification_service.messages.tables import Message, Rendering
from notification_service.recipients.rules import (
    Contact,
    NoAddress,
    Recipient,
    RecipientKind,
    email_address,
    postal_lines,
)
from notification_service.settings import Settings


def template_key(message: Message) -> tuple[str, int]:
    """Which version of which template a message is bound to."""
    return message.template, message.template_version


async def put_into_words(
    message: Message,
    templates: Mapping[tuple[str, int], MessageTemplateVersion],
    recipient: Recipient,
    settings: Settings,
    *,
    address: str | None,
    failed: Container[str],
    at: datetime,
) -> tuple[str, Rendering]:
    """The channel a message leaves by, its words and the address it goes to; raises NoAddress or CannotRender.

    `address`: the one e-mail address this message is for, which is tried whatever became of it; None for the one its
    recipient has, which is none of those that `failed`. The channel may be another than was asked for.
    """
    template = _template_for(message, templates)
    missing = missing_placeholders(template.placeholders, message.facts)
    if missing:
        raise CannotRender("placeholder_missing", ", ".join(missing))
    if message.channel == Channel.EMAIL and address is not None:
        channel, sent_to = message.channel, [_usable(address)]
    else:
        channel, sent_to = _way_to(message, template, recipient, failed)
    always = always_there(settings, recipient_name=recipient.name, is_person=recipient.is_person, at=at)
    words = await fill_in(template, _true_today(message, on=london_date(at)), always=always)
    return channel, Rendering(
        message_id=message.id,
        number=message.attempt,
        template_version=template.version,
        subject=words.subject,
        text=words.text,
        html=words.html,
        body_sha256=body_sha256(words.text, words.html),
        sent_to=sent_to,
        enclosures=[],
        rendered_at=at,
    )


def addressee_of(message: Message) -> Recipient | None:
    """Who is written to in the recipient's place, as the message names them."""
    if message.addressee is None:
        return None
    address = message.addressee["address"] or {"lines": (), "postcode": None}
    return Recipient(
        name=message.addressee["name"],
        contacts=(Contact(message.addressee["email"]),) if message.addressee["email"] else (),
        address_lines=tuple(address["lines"]),
        postcode=address["postcode"],
    )


def says_the_same(kept: Rendering, made: Rendering) -> bool:
    """Whether words made anew are those that are kept, to the same address."""
    names = ("template_version", "subject", "text", "html", "sent_to")
    return all(getattr(kept, name) == getattr(made, name) for name in names)


def _way_to(
    message: Message, template: MessageTemplateVersion, recipient: Recipient, failed: Container[str]
) -> tuple[str, list[str]]:
    """The channel and the address; raises NoAddress.

    A dunning notice goes by letter to a customer who asks for letters by now; whatever is for a customer goes by letter
    where there is no e-mail address to use.
    """
    if message.channel == Channel.LETTER:
        return Channel.LETTER.value, list(postal_lines(recipient))
    by_post = message.recipient_kind is RecipientKind.CUSTOMER and Channel.LETTER in template.channels
    prefers_post = message.about_kind == ABOUT_DUNNING_NOTICE and recipient.preferred_channel == Channel.LETTER
    if by_post and prefers_post:
        with suppress(NoAddress):
            return Channel.LETTER.value, list(postal_lines(recipient))
    try:
        return message.channel, [email_address(recipient, failed=failed)]
    except NoAddress:
        if by_post:
            with suppress(NoAddress):
                return Channel.LETTER.value, list(postal_lines(recipient))
        raise


def _true_today(message: Message, *, on: date) -> dict[str, Any]:
    """The values of a message on the day it is put into words: of a notice that was dated back, or waited, the days."""
    if "days_overdue" not in message.facts or "due_on" not in message.facts:
        return message.facts
    return message.facts | {"days_overdue": (on - date.fromisoformat(message.facts["due_on"])).days}


def _usable(address: str) -> str:
    usable = usable_email_address(address)
    if usable is None:
        raise NoAddress("address_invalid")
    return usable


def _template_for(
    message: Message, templates: Mapping[tuple[str, int], MessageTemplateVersion]
) -> MessageTemplateVersion:
    template = templates.get(template_key(message))
    if template is None:
        raise CannotRender("template_unknown", f"there is no approved version {message.template_version} of it")
    if message.channel not in SENDABLE:
        raise CannotRender("channel_not_available", "only email and letter are there")
    if message.channel not in template.channels:
        raise CannotRender("channel_not_available", "the template is not written for it")
    return template
