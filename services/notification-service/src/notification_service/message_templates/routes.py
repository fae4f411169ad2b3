"""/v1/message-templates."""

from __future__ import annotations

from typing import Annotated

from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import Now, RuntimeDep, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery
from council_common.web.preconditions import etag
from fastapi import Depends, Path, Response

from notification_service.message_templates import store
from notification_service.message_templates.rules import NAME_PATTERN, CannotRender, ValuesWrong, must_fit
from notification_service.message_templates.schemas import (
    PreviewIn,
    PreviewOut,
    TemplateIn,
    TemplateOut,
    TemplateTextIn,
    TemplateVersionsOut,
)
from notification_service.message_templates.usecases import add_template, add_version, always_there, fill_in
from notification_service.settings import settings_of

router = resource_router("message-templates")

Name = Annotated[str, Path(pattern=NAME_PATTERN)]


@router.post("", status_code=201, dependencies=[Idempotent])
async def add(
    given: TemplateIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("messages:write")],
) -> TemplateOut:
    """Add a template: it becomes version 1."""
    row = await add_template(session, given.name, given.wording(), by=by, at=now)
    response.headers["location"] = f"/v1/message-templates/{row.name}"
    return TemplateOut.of(row)


@router.get("")
async def find(
    page: Annotated[PageQuery, Depends()], session: SessionDep, _: Annotated[Actor, requires("messages:read")]
) -> Page[TemplateOut]:
    """Every template in its newest version; sorts by name or created_at."""
    rows, following = await store.newest_page(session, page)
    return Page(items=[TemplateOut.of(row) for row in rows], next=following)


@router.get("/{name}")
async def read(
    name: Name, response: Response, session: SessionDep, _: Annotated[Actor, requires("messages:read")]
) -> TemplateOut:
    """A template in its newest version."""
    row = await store.version_of(session, name)
    response.headers["etag"] = etag(row.version)
    return TemplateOut.of(row)


@router.post("/{name}/versions", status_code=201, dependencies=[Idempotent])
async def add_next(
    *,
    name: Name,
    given: TemplateTextIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("messages:write")],
) -> TemplateOut:
    """Add the next version of a template. Versions never change, so that old messages stay provable."""
    row = await add_version(session, name, given.wording(), by=by, at=now)
    response.headers["location"] = f"/v1/message-templates/{row.name}/versions/{row.version}"
    return TemplateOut.of(row)


@router.get("/{name}/versions")
async def list_versions(
    name: Name, session: SessionDep, _: Annotated[Actor, requires("messages:read")]
) -> TemplateVersionsOut:
    """Every version of a template, who added it and when."""
    return TemplateVersionsOut(items=[TemplateOut.of(row) for row in await store.versions_of(session, name)])


@router.get("/{name}/versions/{version}")
async def read_version(
    name: Name,
    version: Annotated[int, Path(ge=1, le=1_000_000)],
    session: SessionDep,
    _: Annotated[Actor, requires("messages:read")],
) -> TemplateOut:
    """One version of a template."""
    return TemplateOut.of(await store.version_of(session, name, version))


@router.post("/{name}/previews")
async def preview(
    *,
    name: Name,
    given: PreviewIn,
    session: SessionDep,
    runtime: RuntimeDep,
    now: Now,
    _: Annotated[Actor, requires("messages:read")],
) -> PreviewOut:
    """The words a message of this template would have; nothing is sent or kept."""
    template = await store.version_of(session, name, given.version)
    must_fit(template.placeholders, given.values)
    settings = settings_of(runtime)
    always = always_there(
        council_name=settings.council_name,
        council_contact=settings.council_contact,
        how_to_pay=settings.council_how_to_pay,
        recipient_name="Mrs A. Example",
        is_person=True,
        at=now,
    )
    try:
        return PreviewOut.of(template, fill_in(template, given.values, always=always))
    except CannotRender as wrong:
        raise ValuesWrong(f"These values do not make a message: {wrong.code}, {wrong.explanation}.") from None
