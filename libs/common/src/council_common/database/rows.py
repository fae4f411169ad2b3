"""One row by its id: read, or locked until the transaction ends. What is not there is `<noun>-not-found`."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from council_common.errors import NotFound

R = TypeVar("R", bound=SQLModel)


async def get_row(session: AsyncSession, table: type[R], row_id: UUID) -> R:
    """A row by its id. Raises NotFound with the table's noun in its code."""
    row = await session.get(table, row_id)
    if row is None:
        raise NotFound.of(noun_of(table))
    return row


async def lock_row(session: AsyncSession, table: type[R], row_id: UUID) -> R:
    """A row as it is now, locked until the transaction ends: the order of locks is the order of events.

    Raises NotFound with the table's noun in its code.
    """
    row = await session.get(table, row_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound.of(noun_of(table))
    return row


def noun_of(table: type[SQLModel]) -> str:
    """What a row of a table is called: `dunning_run` is a "dunning run"."""
    return str(table.__tablename__).replace("_", " ")
