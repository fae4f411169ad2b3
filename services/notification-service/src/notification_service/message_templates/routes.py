"""Message templates over HTTP. A template is addressed by its name, as dunning procedures address it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

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
from notification_service.message_templates.rules import NAME_FORM
from notification_service.message_templates.schemas import (
    PreviewIn,
    PreviewOut,
    TemplateIn,
    TemplateOut,
    TemplateVersionIn,
)
from notification_service.message_templates.usecases import add_template, add_version, preview
from notification_service.settings import settings_of

router = resource_router("message-templates")

Name = Annotated[str, NAME_FORM, Path()]
Reader = Annotated[Actor, requires("messages:read")]


@router.post("", status_code=201)
async def add(template: TemplateIn, act: Annotated[Act, acting("message-templates:write")]) -> TemplateOut:
    """Add a template: it becomes version 1."""
    added, version = await add_template(
        act.session, template.name, template.purpose, template.wording(), by=act.by, at=act.at
    )
    act.answers(f"{router.prefix}/{added.name}", added.version)
    return TemplateOut.of(added, version)


async def _in_newest_version(session: AsyncSession, templates: Sequence[Any]) -> list[TemplateOut]:
    versions = await store.exact_versions(session, {(template.name, template.version) for template in templates})
    return [TemplateOut.of(template, versions[template.name, template.version]) for template in templates]


list_route(router, MessageTemplateList, TemplateOut, scope="messages:read", show=_in_newest_version)
export_route(router, MessageTemplateList, scope="messages:read")


@router.get("/{name}")
async def read(name: Name, response: Response, session: SessionDep, _: Reader) -> TemplateOut:
    """A template in its newest version."""
    template = await store.template_named(session, name)
    response.headers["etag"] = etag(template.version)
    [shown] = await _in_newest_version(session, [template])
    return shown


@router.get("/{name}/history")
async def read_history(
    name: Name, query: Annotated[HistoryQuery, Query()], session: SessionDep, _: Reader
) -> Page[ChangeOut]:
    """Every version of a template: who added it and when."""
    template = await store.template_named(session, name)
    return await history_page(session, template.id, query)


@router.post("/{name}/versions", status_code=201)
async def add_next(
    name: Name, version: TemplateVersionIn, act: Annotated[Act, acting("message-templates:write")]
) -> TemplateOut:
    """Add the next version of a template. Versions never change, so that old messages stay provable."""
    template, added = await add_version(act.session, name, version.wording(), by=act.by, at=act.at)
    act.answers(f"{router.prefix}/{name}/versions/{added.version}", template.version)
    return TemplateOut.of(template, added)


@router.get("/{name}/versions")
async def list_versions(
    name: Name, query: Annotated[VersionQuery, Query()], session: SessionDep, _: Reader
) -> Page[TemplateOut]:
    """Every version of a template, oldest first."""
    template = await store.template_named(session, name)
    rows, following = await query.page(session, name)
    return Page(items=[TemplateOut.of(template, row) for row in rows], next=following)


@router.get("/{name}/versions/{version}")
async def read_version(
    name: Name, version: Annotated[int, Path(ge=1, le=1_000_000)], session: SessionDep, _: Reader
) -> TemplateOut:
    """One version of a template."""
    template = await store.template_named(session, name)
    return TemplateOut.of(template, await store.version_of(session, name, version))


@router.post("/{name}/previews")
async def preview_template(
    name: Name, values: PreviewIn, session: SessionDep, runtime: RuntimeDep, now: Now, _: Reader
) -> PreviewOut:
    """The words a message of this template would have; nothing is sent or kept."""
    template = await store.version_of(session, name, values.version)
    return PreviewOut.of(template, await preview(template, values.values, settings_of(runtime), at=now))
