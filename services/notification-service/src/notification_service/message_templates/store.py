"""The statements on templates and their versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from council_common.database.rows import lock_row
from sqlalchemy import ColumnElement, Row, Select, exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from notification_service.message_templates.rules import Decision, TemplateNotApproved, TemplateNotFound
from notification_service.message_templates.tables import (
    MessageTemplate,
    MessageTemplateDecision,
    MessageTemplateVersion,
)


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
    """A version of a template, approved or not, the newest where none is named; raises TemplateNotFound."""
    template = await template_named(session, name)
    found = await session.get(MessageTemplateVersion, (name, version or template.newest))
    if found is None:
        raise TemplateNotFound("There is no such version of this message template.")
    return found


async def version_in_use(session: AsyncSession, template: MessageTemplate) -> MessageTemplateVersion:
    """The version that messages are written by; raises TemplateNotApproved."""
    if template.in_use is None:
        raise TemplateNotApproved(f"No version of the template {template.name} has been approved by a second person.")
    return await version_of(session, template.name, template.in_use)


async def versions_in_use(session: AsyncSession, names: Iterable[str]) -> dict[str, int]:
    """The number of the version in use of each template that has one."""
    statement = select(col(MessageTemplate.name), col(MessageTemplate.in_use)).where(
        col(MessageTemplate.name).in_(set(names)), col(MessageTemplate.in_use).is_not(None)
    )
    return {row.name: row.in_use for row in await session.execute(statement)}


async def approved_versions(
    session: AsyncSession, wanted: set[tuple[str, int]]
) -> dict[tuple[str, int], MessageTemplateVersion]:
    """Those of some versions that a second person approved."""
    approved = (
        col(MessageTemplateDecision.name) == col(MessageTemplateVersion.name),
        col(MessageTemplateDecision.version) == col(MessageTemplateVersion.version),
        col(MessageTemplateDecision.decision) == Decision.APPROVED,
    )
    statement = select(MessageTemplateVersion).where(_are(wanted), exists().where(*approved))
    rows = (await session.execute(statement)).scalars()
    return {(row.name, row.version): row for row in rows}


async def versions_with_decisions(
    session: AsyncSession, wanted: set[tuple[str, int]]
) -> dict[tuple[str, int], Row[Any]]:
    """Some versions, each with what was decided about it."""
    rows = await session.execute(decided_versions().where(_are(wanted)))
    return {(row.name, row.version): row for row in rows}


def decided_versions() -> Select[Any]:
    """Every version with the columns of its decision, which are NULL where there is none."""
    decided: Any = MessageTemplateDecision.__table__  # type: ignore[attr-defined]
    version: Any = MessageTemplateVersion.__table__  # type: ignore[attr-defined]
    columns = (column for column in decided.c if column.name not in version.c)
    together = (decided.c.name == version.c.name) & (decided.c.version == version.c.version)
    return select(*version.c, *columns).select_from(version.outerjoin(decided, together))


def _are(wanted: set[tuple[str, int]]) -> ColumnElement[bool]:
    return tuple_(col(MessageTemplateVersion.name), col(MessageTemplateVersion.version)).in_(wanted)
