"""The statements on templates and their versions."""

from __future__ import annotations

from collections.abc import Iterable

from council_common.database.rows import lock_row
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from notification_service.message_templates.rules import TemplateNotFound
from notification_service.message_templates.tables import MessageTemplate, MessageTemplateVersion


async def template_named(session: AsyncSession, name: str) -> MessageTemplate:
    """A template by its name; raises TemplateNotFound."""
    found = (await session.execute(select(MessageTemplate).where(col(MessageTemplate.name) == name))).scalar()
    if found is None:
        raise TemplateNotFound("There is no message template of this name.")
    return found


async def lock_template(session: AsyncSession, name: str) -> MessageTemplate:
    """A template by its name, locked until the transaction ends; raises TemplateNotFound."""
    return await lock_row(session, MessageTemplate, (await template_named(session, name)).id)


async def version_of(session: AsyncSession, name: str, version: int | None = None) -> MessageTemplateVersion:
    """A version of a template, the newest where none is named; raises TemplateNotFound."""
    template = await template_named(session, name)
    found = await session.get(MessageTemplateVersion, (name, version or template.version))
    if found is None:
        raise TemplateNotFound("There is no such version of this message template.")
    return found


async def newest_versions(session: AsyncSession, names: Iterable[str]) -> dict[str, int]:
    """The newest version of each template that exists."""
    statement = select(col(MessageTemplate.name), col(MessageTemplate.version)).where(
        col(MessageTemplate.name).in_(set(names))
    )
    return {row.name: row.version for row in await session.execute(statement)}


async def exact_versions(
    session: AsyncSession, wanted: set[tuple[str, int]]
) -> dict[tuple[str, int], MessageTemplateVersion]:
    """Those of some versions that exist."""
    statement = select(MessageTemplateVersion).where(
        col(MessageTemplateVersion.name).in_({name for name, _ in wanted}),
        col(MessageTemplateVersion.version).in_({version for _, version in wanted}),
    )
    rows = (await session.execute(statement)).scalars()
    return {(row.name, row.version): row for row in rows if (row.name, row.version) in wanted}
