"""Propose templates and versions, decide about them, and try them out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asyncpg import UniqueViolationError
from council_common.clock import london_date
from council_common.contracts.message_values import Sender
from council_common.contracts.notifications import (
    MessageTemplateApprovedV1,
    MessageTemplateProposedV1,
    MessageTemplateRejectedV1,
)
from council_common.errors import Unavailable
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import fact, record
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.message_templates import store
from notification_service.message_templates.renderer import placeholders_in, rendered
from notification_service.message_templates.rules import (
    CannotRender,
    Decision,
    Rendered,
    TemplateExists,
    TemplatePurpose,
    ValuesDoNotFit,
    VersionNotProposed,
    VersionStatus,
    Wording,
    must_be_declared,
    must_suit_sender,
)
from notification_service.message_templates.tables import (
    MessageTemplate,
    MessageTemplateDecision,
    MessageTemplateVersion,
)
from notification_service.message_templates.values import must_fit
from notification_service.settings import Settings

_EXAMPLE_RECIPIENT = "Mrs A. Example"


async def add_template(
    session: AsyncSession,
    name: str,
    purpose: TemplatePurpose,
    written_for: Sender | None,
    wording: Wording,
    *,
    by: Actor,
    at: datetime,
) -> MessageTemplate:
    """A new template, with its version 1 proposed; raises TemplateExists, or InvalidTemplate for its words."""
    template = MessageTemplate(
        id=new_id(),
        version=0,
        name=name,
        purpose=purpose,
        written_for=written_for,
        newest=1,
        waiting=True,
        created_at=at,
        created_by=by.subject,
        created_by_name=by.name,
    )
    try:
        await _propose(session, template, wording, by=by, at=at)
    except UniqueViolationError:
        raise TemplateExists(f"There is a template {name} already; add a version to it.") from None
    return template


async def add_version(
    session: AsyncSession, name: str, wording: Wording, *, by: Actor, at: datetime
) -> MessageTemplate:
    """The next version of a template, proposed: messages are written by the last approved one until it is approved.

    Raises TemplateNotFound, or InvalidTemplate for its words.
    """
    template = await store.lock_template(session, name)
    template.newest, template.waiting = template.newest + 1, True
    await _propose(session, template, wording, by=by, at=at)
    return template


async def _propose(
    session: AsyncSession, template: MessageTemplate, wording: Wording, *, by: Actor, at: datetime
) -> None:
    must_suit_sender(template.written_for, template.purpose, wording)
    version = await _version(template.name, template.newest, wording, by=by, at=at)
    proposed = fact(
        template,
        VersionStatus.PROPOSED,
        MessageTemplateProposedV1,
        detail={"template_version": version.version},
        template_id=template.id,
        template=template.name,
        template_version=version.version,
    )
    await record(session, proposed, also=[version], by=by, at=at)


async def decide_version(
    session: AsyncSession, name: str, number: int, decision: Decision, *, note: str, by: Actor, at: datetime
) -> MessageTemplate:
    """Approve or reject the newest version of a template; approved, messages are written by it from now on.

    Raises TemplateNotFound, VersionNotProposed, and ApprovesOwnRequest for who wrote it. Source: council policy: words
    that leave in the council's name, above all about money and where to pay it, are read by two people.
    """
    template = await store.lock_template(session, name)
    version = await store.version_of(session, name, number)
    if number != template.newest or not template.waiting:
        raise VersionNotProposed("This version was decided before, or a later one took its place.")
    by.must_differ_from(version.created_by, what="Deciding about a version of a template")
    template.waiting = False
    if decision is Decision.APPROVED:
        template.in_use = number
    decided = MessageTemplateDecision(
        name=name,
        version=number,
        decision=decision,
        decision_note=note,
        decided_at=at,
        decided_by=by.subject,
        decided_by_name=by.name,
    )
    happened = fact(
        template,
        decision,
        MessageTemplateApprovedV1 if decision is Decision.APPROVED else MessageTemplateRejectedV1,
        detail={"note": note, "template_version": number},
        template_id=template.id,
        template=template.name,
        template_version=number,
    )
    await record(session, happened, also=[decided], by=by, at=at)
    return template


async def _version(name: str, number: int, wording: Wording, *, by: Actor, at: datetime) -> MessageTemplateVersion:
    must_be_declared(await placeholders_in(wording), wording.placeholders)
    return MessageTemplateVersion(
        name=name,
        version=number,
        channels=sorted(wording.channels),
        subject=wording.subject,
        text=wording.text,
        html=wording.html,
        placeholders=dict(sorted(wording.placeholders.items())),
        created_at=at,
        created_by=by.subject,
        created_by_name=by.name,
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
