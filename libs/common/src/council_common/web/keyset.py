"""Pages by keyset: a row comparison that PostgreSQL takes as an index condition, so that all pages cost the same."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Integer, Select, Text, bindparam, cast, tuple_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.sessions import Sessions
from council_common.errors import FieldError, Malformed

T = TypeVar("T")

MAX_LIMIT = 200
CHUNK = 1000

NO_PARAMETERS: Mapping[str, Any] = {}


class Page(BaseModel, Generic[T]):
    """Some items of a list; `next` is the cursor of the page after, null on the last."""

    items: list[T]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list: a column that is never null and the id, both in one direction, under one index."""

    name: str
    column: ColumnElement[Any]
    id_column: ColumnElement[Any]

    @property
    def downwards(self) -> bool:
        return self.name.startswith("-")

    @property
    def _keys(self) -> list[ColumnElement[Any]]:
        return [self.column] if self.column is self.id_column else [self.column, self.id_column]

    def apply(self, statement: Select[Any]) -> Select[Any]:
        """The statement in this order."""
        return statement.order_by(*(key.desc() if self.downwards else key.asc() for key in self._keys))

    def after(self, statement: Select[Any], values: Sequence[Any]) -> Select[Any]:
        """The statement's rows behind the one with these keys."""
        if len(self._keys) == 1:
            [key], [value] = self._keys, values
            return statement.where(key < value if self.downwards else key > value)
        keys, last = tuple_(*self._keys), tuple_(*values)
        return statement.where(keys < last if self.downwards else keys > last)

    def labelled(self, statement: Select[Any]) -> Select[Any]:
        """The statement with its keys as the last columns: what `values_of` reads."""
        return statement.add_columns(*(key.label(f"_key_{number}") for number, key in enumerate(self._keys)))

    def values_of(self, row: Any) -> list[Any]:
        """The keys of a row of a `labelled` statement."""
        return list(row[-len(self._keys) :])

    def cursor_of(self, row: Any) -> str:
        """The cursor that goes on behind a row: the order's name and the row's keys, nothing else."""
        plain = [str(value.value if isinstance(value, Enum) else value) for value in self.values_of(row)]
        return base64.urlsafe_b64encode(json.dumps([self.name, *plain]).encode()).decode()

    def page_of(self, statement: Select[Any], *, behind: bool) -> Select[Any]:
        """The statement for one page: `first` says how many rows, and `key_0` and `key_1` behind which row, as text.

        They are parameters, so that a statement made once serves every page.
        """
        statement = self.apply(self.labelled(statement)).limit(bindparam("first", type_=Integer()))
        return (
            self.after(statement, [_key(number, key) for number, key in enumerate(self._keys)]) if behind else statement
        )

    def read(self, cursor: str) -> dict[str, str]:
        """The keys of a cursor, as parameters of `page_of`. Raises Malformed for a cursor of another list or order."""
        try:
            name, *values = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        except (ValueError, TypeError):  # TypeError: JSON that is no list, such as 5 or null
            name, values = None, []
        if name != self.name or len(values) != len(self._keys):
            raise _foreign_cursor()
        return {f"key_{number}": str(value) for number, value in enumerate(values)}


def _key(number: int, key: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(bindparam(f"key_{number}", type_=Text()), key.type)


async def fetch_page(
    session: AsyncSession, statement: Select[Any], order: Order, *, limit: int, cursor: str | None
) -> tuple[Sequence[Any], str | None]:
    """The rows of one page, and the cursor of the next; None on the last page.

    A row carries the order's keys behind the statement's own columns. Raises Malformed for a cursor that is not one.
    """
    return await fetch_rows(
        session, order.page_of(statement, behind=cursor is not None), order, limit=limit, cursor=cursor
    )


async def fetch_rows(
    session: AsyncSession,
    page: Select[Any],
    order: Order,
    *,
    limit: int,
    cursor: str | None,
    parameters: Mapping[str, Any] = NO_PARAMETERS,
) -> tuple[Sequence[Any], str | None]:
    """`fetch_page` of a statement that `Order.page_of` has made, with further parameters of its own."""
    keys = {} if cursor is None else order.read(cursor)
    try:
        rows = (await session.execute(page, {**parameters, **keys, "first": limit + 1})).all()
    except DBAPIError as fault:
        if cursor is not None and str(getattr(fault.orig, "sqlstate", "")).startswith("22"):  # data exception
            raise _foreign_cursor() from None
        raise
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], order.cursor_of(rows[limit - 1])


async def in_chunks(
    sessions: Sessions, statement: Select[Any], order: Order, *, size: int = CHUNK
) -> AsyncIterator[Sequence[Any]]:
    """All rows of a statement in order, some at a time, for a reader who may take its time; at least one chunk.

    Each chunk begins behind the last row of the one before, and no connection is held between them.
    """
    keyed = order.apply(order.labelled(statement)).limit(size)
    following = keyed
    while True:
        async with sessions() as session:
            rows = (await session.execute(following)).all()
        yield rows
        if len(rows) < size:
            return
        following = order.after(keyed, order.values_of(rows[-1]))


def _foreign_cursor() -> Malformed:
    return Malformed(
        "The cursor does not belong to this list.",
        errors=[FieldError("cursor", "is not a cursor of this list and order", "`next` of the page before")],
    )
