"""Putting a message into words: its template, its values, and the address of its recipient for the channel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from council_common.contact_details.email_addresses import usable_email_address

from notification_service.channels.rules import SENDABLE
from notification_service.message_templates.rules import CannotRender, Channel, missing_placeholders
from notification_service.message_templates.tables import MessageTemplateVersion
from notification_service.message_templates.usecases import always_there, fill_in
from notification_service.messages.rules import body_sha256
from notification_service.messages.tables import Message, Rendering
from notification_service.recipients.rules import NoAddress, Recipient, email_address, postal_lines
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
    at: datetime,
) -> Rendering:
    """The words of a message and the address it goes to; raises NoAddress or CannotRender.

    `address`: the one e-mail address this message is for; None for the one its recipient has.
    """
    template = _template_for(message, templates)
    missing = missing_placeholders(template.placeholders, message.facts)
    if missing:
        raise CannotRender("placeholder_missing", ", ".join(missing))
    if message.channel == Channel.LETTER:
        sent_to = list(postal_lines(recipient))
    else:
        sent_to = [email_address(recipient) if address is None else _usable(address)]
    always = always_there(settings, recipient_name=recipient.name, is_person=recipient.is_person, at=at)
    words = await fill_in(template, message.facts, always=always)
    return Rendering(
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
        raise CannotRender("template_unknown", f"there is no version {message.template_version} of it")
    if message.channel not in SENDABLE:
        raise CannotRender("channel_not_available", "only email and letter are there")
    if message.channel not in template.channels:
        raise CannotRender("channel_not_available", "the template is not written for it")
    return template
