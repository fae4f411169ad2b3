"""Rows by the thousand: added by COPY, found by the references of their sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, Column, Text, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.sessions import driver

SourceKey: TypeAlias = tuple[str, str]
"""A source system and a reference of its own."""


async def copy_rows(session: AsyncSession, table: str, columns: Sequence[str], rows: Iterable[Any]) -> None:
    """Add rows by COPY; an empty list takes no round trip."""
    if rows:
        connection = await driver(session)
        await connection.copy_records_to_table(table, columns=columns, records=rows)


async def rows_by_source(
    session: AsyncSession, of: Any, sources: Iterable[SourceKey], *columns: Column[Any]
) -> dict[SourceKey, Any]:
    """The rows of a class that source systems know by these keys: whole, or some columns of them."""
    keys = list(sources)
    if not keys:
        return {}
    table = of.__table__
    systems, references = (literal(list(part), ARRAY(Text)) for part in zip(*keys, strict=True))
    named = func.unnest(systems, references).table_valued("system", "reference").render_derived()
    is_named = (table.c.source_system == named.c.system) & (table.c.source_reference == named.c.reference)
    if columns:
        statement = select(table.c.source_system, table.c.source_reference, *columns)
        rows: Sequence[Any] = (await session.execute(statement.join(named, is_named))).all()
    else:
        rows = (await session.scalars(select(of).join(named, is_named))).all()
    return {(row.source_system, row.source_reference): row for row in rows}
