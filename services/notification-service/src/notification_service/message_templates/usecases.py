"""Add templates and versions, and try them out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from council_common.clock import london_date
from council_common.identity.actor import Actor
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.message_templates import store
from notification_service.message_templates.rendering import placeholders_of, render
from notification_service.message_templates.rules import (
    NoSuchTemplate,
    Rendered,
    TemplateExists,
    Wording,
    must_be_declared,
)
from notification_service.message_templates.tables import MessageTemplateVersion


async def add_template(
    session: AsyncSession, name: str, given: Wording, *, by: Actor, at: datetime
) -> MessageTemplateVersion:
    """A new template, with its version 1; raises TemplateExists."""
    if await store.lock_name(session, name):
        raise TemplateExists(f"There is a template {name} already; add a version to it.")
    return await _add(session, name, 1, given, by=by, at=at)


async def add_version(
    session: AsyncSession, name: str, given: Wording, *, by: Actor, at: datetime
) -> MessageTemplateVersion:
    """The next version of a template: messages made from now on are written by it."""
    newest = await store.lock_name(session, name)
    if not newest:
        raise NoSuchTemplate("There is no message template of that name.")
    return await _add(session, name, newest + 1, given, by=by, at=at)


async def _add(
    session: AsyncSession, name: str, version: int, given: Wording, *, by: Actor, at: datetime
) -> MessageTemplateVersion:
    used = placeholders_of(given.subject, field="subject") | placeholders_of(given.text, field="text")
    if given.html is not None:
        used |= placeholders_of(given.html, field="html")
    must_be_declared(used, given.placeholders)
    row = MessageTemplateVersion(
        name=name,
        version=version,
        channels=sorted(given.channels),
        subject=given.subject,
        text=given.text,
        html=given.html,
        placeholders=sorted(given.placeholders),
        created_at=at,
        created_by=by.subject,
    )
    session.add(row)
    await session.flush()
    return row


def fill_in(template: MessageTemplateVersion, values: Mapping[str, Any], *, always: Mapping[str, Any]) -> Rendered:
    """A template with the values of one message and those that are always there; raises CannotRender."""
    return render(subject=template.subject, text=template.text, html=template.html, values={**values, **always})


def always_there(
    *, council_name: str, council_contact: str, how_to_pay: str, recipient_name: str, is_person: bool, at: datetime
) -> dict[str, Any]:
    """The placeholders every template has (`ALWAYS_THERE`)."""
    return {
        "recipient_name": recipient_name,
        "recipient_is_person": is_person,
        "council_name": council_name,
        "council_contact": council_contact,
        "how_to_pay": how_to_pay,
        "written_on": london_date(at).isoformat(),
    }
