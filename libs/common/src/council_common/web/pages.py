"""Lists come in pages: at most 200 items and a cursor to go on, stable while rows are added (keyset)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, Text, and_, cast, literal, or_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.errors import FieldError, Malformed

T = TypeVar("T")

MAX_LIMIT = 200


class Page(BaseModel, Generic[T]):
    """Some items of a list; `next` is the cursor of the page after, null on the last."""

    items: list[T]
    next: str | None = None


@dataclass(frozen=True)
class PageQuery:
    """Which page of a list, and in which order. Put it into a route as `page: Annotated[PageQuery, Depends()]`."""

    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items on a page.")] = 50
    cursor: Annotated[str | None, Query(max_length=1000, description="`next` of the page before.")] = None
    sort: Annotated[
        str | None, Query(max_length=60, description="A field to sort by; a leading minus sorts downwards.")
    ] = None


async def fetch_page(
    session: AsyncSession,
    statement: Select[Any],
    *,
    query: PageQuery,
    sortable: Mapping[str, Any],
    default: str,
    id_column: Any,
) -> tuple[Sequence[Any], str | None]:
    """The rows of one page and the cursor of the next.

    `statement` selects rows or entities; `sortable` maps the names a caller may sort by to columns that are
    never null; ties are ordered by id. The cursor holds sort name and last values, nothing else.
    """
    sort = query.sort or default
    name, downwards = sort.removeprefix("-"), sort.startswith("-")
    if name not in sortable:
        raise Malformed(
            f"This list does not sort by {name}.",
            errors=[FieldError("sort", "unknown field", f"one of {', '.join(sorted(sortable))}")],
        )
    column = sortable[name]
    if query.cursor:
        statement = statement.where(_after(column, id_column, downwards, *_read_cursor(query.cursor, sort)))
    order = [column.desc(), id_column.desc()] if downwards else [column, id_column]
    keyed = statement.add_columns(column.label("_sort"), id_column.label("_id")).order_by(*order)
    try:
        rows = (await session.execute(keyed.limit(query.limit + 1))).all()
    except DBAPIError as fault:
        if query.cursor and str(getattr(fault.orig, "sqlstate", "")).startswith("22"):  # data exception
            raise _strange_cursor() from None
        raise
    items = [row[0] if len(row) == 3 else row[:-2] for row in rows[: query.limit]]
    if len(rows) <= query.limit:
        return items, None
    last = rows[query.limit - 1]
    return items, _write_cursor(sort, last[-2], last[-1])


def _after(
    column: ColumnElement[Any], id_column: ColumnElement[Any], downwards: bool, value: str, last_id: str
) -> ColumnElement[bool]:
    # The cursor's values travel as text; PostgreSQL reads them as the columns' own types.
    at, last = cast(literal(value, Text()), column.type), cast(literal(last_id, Text()), id_column.type)
    if downwards:
        return or_(column < at, and_(column == at, id_column < last))
    return or_(column > at, and_(column == at, id_column > last))


def _write_cursor(sort: str, value: Any, last_id: Any) -> str:
    plain = value.value if hasattr(value, "value") else value
    return base64.urlsafe_b64encode(json.dumps([sort, str(plain), str(last_id)]).encode()).decode()


def _read_cursor(cursor: str, sort: str) -> tuple[str, str]:
    try:
        of_sort, value, last_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, TypeError):  # TypeError: JSON that is no list, such as 5 or null
        of_sort = None
    if of_sort != sort:
        raise _strange_cursor()
    return str(value), str(last_id)


def _strange_cursor() -> Malformed:
    return Malformed(
        "The cursor does not belong to this list.",
        errors=[FieldError("cursor", "not a cursor of this list and order", "`next` of the page before")],
    )
