"""Every query of the room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast

from council_common.web.pages import PageQuery, fetch_page
from sqlalchemy import ColumnElement, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from notification_service.message_templates.rules import NoSuchTemplate
from notification_service.message_templates.tables import MessageTemplateVersion as Version

_NAME = cast("ColumnElement[str]", col(Version.name))
_CREATED_AT = cast("ColumnElement[datetime]", col(Version.created_at))


async def version_of(session: AsyncSession, name: str, version: int | None = None) -> Version:
    """A version of a template, the newest where none is named; raises NoSuchTemplate."""
    statement = select(Version).where(col(Version.name) == name)
    if version is not None:
        statement = statement.where(col(Version.version) == version)
    found = (await session.execute(statement.order_by(col(Version.version).desc()).limit(1))).scalar()
    if found is None:
        raise NoSuchTemplate("There is no message template of that name and version.")
    return found


async def versions_of(session: AsyncSession, name: str) -> Sequence[Version]:
    """Every version of a template, oldest first (at most 1,000); raises NoSuchTemplate."""
    statement = select(Version).where(col(Version.name) == name).order_by(col(Version.version)).limit(1000)
    found = (await session.execute(statement)).scalars().all()
    if not found:
        raise NoSuchTemplate("There is no message template of that name.")
    return found


async def newest_versions(session: AsyncSession, names: Iterable[str]) -> dict[str, int]:
    """The newest version of each template that exists."""
    statement = (
        select(col(Version.name), func.max(col(Version.version)).label("newest"))
        .where(col(Version.name).in_(set(names)))
        .group_by(col(Version.name))
    )
    return {row.name: row.newest for row in await session.execute(statement)}


async def exact_versions(session: AsyncSession, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], Version]:
    """Those of some versions that exist."""
    statement = select(Version).where(col(Version.name).in_({name for name, _ in wanted}))
    rows = (await session.execute(statement)).scalars()
    return {(row.name, row.version): row for row in rows if (row.name, row.version) in wanted}


async def lock_name(session: AsyncSession, name: str) -> int:
    """Keep others from adding versions of a name until the transaction ends; the newest version, or 0."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('message-template'), hashtext(:n))"), {"n": name})
    return (await newest_versions(session, [name])).get(name, 0)


async def newest_page(session: AsyncSession, query: PageQuery) -> tuple[Sequence[Version], str | None]:
    """The newest version of every template, in pages."""
    newest = select(col(Version.name), func.max(col(Version.version)).label("version")).group_by(col(Version.name))
    statement = select(Version).where(tuple_(col(Version.name), col(Version.version)).in_(newest))
    return await fetch_page(
        session,
        statement,
        query=query,
        sortable={"name": _NAME, "created_at": _CREATED_AT},
        default="name",
        id_column=_NAME,
    )
