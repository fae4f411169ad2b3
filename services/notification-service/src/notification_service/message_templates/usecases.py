"""Add templates and versions, and try them out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asyncpg import UniqueViolationError
from council_common.clock import london_date
from council_common.errors import Unavailable
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import fact, record
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.message_templates import store
from notification_service.message_templates.renderer import placeholders_in, rendered
from notification_service.message_templates.rules import (
    CannotRender,
    Rendered,
    TemplateExists,
    TemplatePurpose,
    ValuesDoNotFit,
    Wording,
    must_be_declared,
    must_fit,
)
from notification_service.message_templates.tables import MessageTemplate, MessageTemplateVersion
from notification_service.settings import Settings

_EXAMPLE_RECIPIENT = "Mrs A. Example"

Versioned = tuple[MessageTemplate, MessageTemplateVersion]


async def add_template(
    session: AsyncSession, name: str, purpose: TemplatePurpose, wording: Wording, *, by: Actor, at: datetime
) -> Versioned:
    """A new template, with its version 1; raises TemplateExists, or InvalidTemplate for its words."""
    first = await _version(name, 1, wording, by=by, at=at)
    template = MessageTemplate(id=new_id(), version=0, name=name, purpose=purpose, created_at=at, created_by=by.subject)
    try:
        await record(session, fact(template, "added"), also=[first], by=by, at=at)
    except UniqueViolationError:
        raise TemplateExists(f"There is a template {name} already; add a version to it.") from None
    return template, first


async def add_version(session: AsyncSession, name: str, wording: Wording, *, by: Actor, at: datetime) -> Versioned:
    """The next version of a template: messages made from now on are written by it.

    Raises TemplateNotFound, or InvalidTemplate for its words.
    """
    template = await store.lock_template(session, name)
    following = await _version(name, template.version + 1, wording, by=by, at=at)
    await record(session, fact(template, "version added"), also=[following], by=by, at=at)
    return template, following


async def _version(name: str, number: int, wording: Wording, *, by: Actor, at: datetime) -> MessageTemplateVersion:
    must_be_declared(await placeholders_in(wording), wording.placeholders)
    return MessageTemplateVersion(
        name=name,
        version=number,
        channels=sorted(wording.channels),
        subject=wording.subject,
        text=wording.text,
        html=wording.html,
        placeholders=sorted(wording.placeholders),
        created_at=at,
        created_by=by.subject,
    )


async def preview(
    template: MessageTemplateVersion, values: Mapping[str, Any], settings: Settings, *, at: datetime
) -> Rendered:
    """The words a message of this template would have, to a made-up recipient.

    Raises ValuesDoNotFit, and Unavailable where they could not be made at the moment.
    """
    must_fit(template.placeholders, values)
    always = always_there(settings, recipient_name=_EXAMPLE_RECIPIENT, is_person=True, at=at)
    try:
        return await fill_in(template, values, always=always)
    except CannotRender as wrong:
        if not wrong.final:
            raise Unavailable("The message could not be put into words at the moment; please try again.") from None
        raise ValuesDoNotFit(f"These values do not make a message: {wrong.code}, {wrong.explanation}.") from None


async def fill_in(
    template: MessageTemplateVersion, values: Mapping[str, Any], *, always: Mapping[str, Any]
) -> Rendered:
    """A template with the values of one message and those that are always there; raises CannotRender."""
    return await rendered(subject=template.subject, text=template.text, html=template.html, values={**values, **always})


def always_there(settings: Settings, *, recipient_name: str, is_person: bool, at: datetime) -> dict[str, Any]:
    """The placeholders every template has (`ALWAYS_THERE`)."""
    return {
        "recipient_name": recipient_name,
        "recipient_is_person": is_person,
        "council_name": settings.council_name,
        "council_contact": settings.council_contact,
        "how_to_pay": settings.council_how_to_pay,
        "written_on": london_date(at).isoformat(),
    }
