"""The registry this service's rows hang on, and how many rows are added at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from council_common.database.sessions import driver
from council_common.database.tables import service_registry
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel


class Row(SQLModel, registry=service_registry()):
    """What every row of this service derives from."""


async def copy_rows(session: AsyncSession, table: type[Row], of: type[NamedTuple], rows: Sequence[Any]) -> None:
    """Add rows by COPY; `of` is the named tuple whose fields are the table's columns."""
    if rows:
        connection = await driver(session)
        await connection.copy_records_to_table(str(table.__tablename__), columns=of._fields, records=rows)
