"""Message templates over HTTP. A template is addressed by its name, as dunning procedures address it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from council_common.fields import NoteIn
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.dependencies import Now, RuntimeDep, SessionDep, requires
from council_common.web.history import ChangeOut, HistoryQuery, history_page
from council_common.web.keyset import Page
from council_common.web.preconditions import etag
from council_common.web.resource_routes import export_route, list_route
from fastapi import Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.message_templates import store
from notification_service.message_templates.lists import MessageTemplateList, VersionQuery
from notification_service.message_templates.rules import NAME_FORM, Decision
from notification_service.message_templates.schemas import (
    PreviewIn,
    PreviewOut,
    TemplateIn,
    TemplateOut,
    TemplateVersionIn,
)
from notification_service.message_templates.usecases import add_template, add_version, decide_version, preview
from notification_service.settings import settings_of

router = resource_router("message-templates")

Name = Annotated[str, NAME_FORM, Path()]
Number = Annotated[int, Path(ge=1, le=1_000_000)]
Reader = Annotated[Actor, requires("messages:read")]
Writing = Annotated[Act, acting("message-templates:write")]
Approving = Annotated[Act, acting("message-templates:approve")]


@router.post("", status_code=201)
async def add(template: TemplateIn, act: Writing) -> TemplateOut:
    """Add a template: its version 1 is proposed, and used once a second person has approved it."""
    added = await add_template(
        act.session,
        template.name,
        template.purpose,
        template.written_for,
        template.wording(),
        by=act.by,
        at=act.at,
    )
    act.answers(f"{router.prefix}/{added.name}", added.version)
    return await _shown(act.session, added, added.newest)


async def _in_use_or_newest(session: AsyncSession, templates: Sequence[Any]) -> list[TemplateOut]:
    wanted = {(template.name, template.in_use or template.newest) for template in templates}
    versions = await store.versions_with_decisions(session, wanted)
    return [
        TemplateOut.of(template, versions[template.name, template.in_use or template.newest]) for template in templates
    ]


async def _shown(session: AsyncSession, template: Any, number: int) -> TemplateOut:
    await store.version_of(session, template.name, number)
    [version] = (await store.versions_with_decisions(session, {(template.name, number)})).values()
    return TemplateOut.of(template, version)


list_route(router, MessageTemplateList, TemplateOut, scope="messages:read", show=_in_use_or_newest)
export_route(router, MessageTemplateList, scope="messages:read")


@router.get("/{name}")
async def read(name: Name, response: Response, session: SessionDep, _: Reader) -> TemplateOut:
    """A template in the version that messages are written by, or where none is approved in its newest."""
    template = await store.template_named(session, name)
    response.headers["etag"] = etag(template.version)
    return await _shown(session, template, template.in_use or template.newest)


@router.get("/{name}/history")
async def read_history(
    name: Name, query: Annotated[HistoryQuery, Query()], session: SessionDep, _: Reader
) -> Page[ChangeOut]:
    """Every version of a template: who proposed it, who decided about it, and when."""
    template = await store.template_named(session, name)
    return await history_page(session, template.id, query)


@router.post("/{name}/versions", status_code=201)
async def add_next(name: Name, version: TemplateVersionIn, act: Writing) -> TemplateOut:
    """Propose the next version of a template. Versions never change, so that old messages stay provable."""
    template = await add_version(act.session, name, version.wording(), by=act.by, at=act.at)
    act.answers(f"{router.prefix}/{name}/versions/{template.newest}", template.version)
    return await _shown(act.session, template, template.newest)


@router.post("/{name}/versions/{version}/approvals", status_code=201)
async def approve(name: Name, version: Number, why: NoteIn, act: Approving) -> TemplateOut:
    """Approve a proposed version that somebody else wrote: messages are written by it from now on."""
    return await _decide(act, name, version, Decision.APPROVED, why)


@router.post("/{name}/versions/{version}/rejections", status_code=201)
async def reject(name: Name, version: Number, why: NoteIn, act: Approving) -> TemplateOut:
    """Reject a proposed version that somebody else wrote, with the reason."""
    return await _decide(act, name, version, Decision.REJECTED, why)


async def _decide(act: Act, name: str, version: int, decision: Decision, why: NoteIn) -> TemplateOut:
    template = await decide_version(act.session, name, version, decision, note=why.note, by=act.by, at=act.at)
    act.answers(f"{router.prefix}/{name}/versions/{version}", template.version)
    return await _shown(act.session, template, version)


@router.get("/{name}/versions")
async def list_versions(
    name: Name, query: Annotated[VersionQuery, Query()], session: SessionDep, _: Reader
) -> Page[TemplateOut]:
    """Every version of a template, oldest first."""
    template = await store.template_named(session, name)
    rows, following = await query.page(session, name)
    return Page(items=[TemplateOut.of(template, row) for row in rows], next=following)


@router.get("/{name}/versions/{version}")
async def read_version(name: Name, version: Number, session: SessionDep, _: Reader) -> TemplateOut:
    """One version of a template."""
    return await _shown(session, await store.template_named(session, name), version)


@router.post("/{name}/previews")
async def preview_template(
    name: Name, values: PreviewIn, session: SessionDep, runtime: RuntimeDep, now: Now, _: Reader
) -> PreviewOut:
    """The words a message of this template would have; nothing is sent or kept."""
    template = await store.version_of(session, name, values.version)
    return PreviewOut.of(template, await preview(template, values.values, settings_of(runtime), at=now))
