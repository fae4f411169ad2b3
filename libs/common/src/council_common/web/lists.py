"""Lists, declared once: filters, orders and the columns of the CSV; page, export and conditions come from that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, ClassVar, TypeAlias
from uuid import UUID

from pydantic import Field, field_validator
from sqlalchemy import ARRAY, ColumnElement, Date, DateTime, Select, Table, Uuid, any_, bindparam, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from council_common.clock import LONDON
from council_common.fields import Moment
from council_common.web.csv_export import NameBeside
from council_common.web.keyset import MAX_LIMIT, Order, fetch_rows
from council_common.web.query_models import PageQuery

Condition: TypeAlias = Callable[[Any], ColumnElement[bool]]

TODAY: ColumnElement[date] = bindparam("today", type_=Date)
"""The date of the request, for conditions and columns that depend on it: `page` and `csv_statement` are given it."""


@dataclass(frozen=True, slots=True)
class Where:
    """The condition of a filter whose name is not that of a column: `held: Annotated[bool | None, Where(is_held)]`."""

    condition: Condition


class ResourceList(PageQuery):
    """A list of a resource. A subclass declares its filters as fields and the rest as class arguments:

    ```
    class VarianceList(ResourceList, of=RebateVariance, sorts=("found_at",), default="-found_at",
                       csv=("id", "supplier_id", "difference_pence"),
                       names=(NameBeside("supplier_id", "supplier", "/v1/suppliers"),)):
        cause: VarianceCause | None = None          # the column of this name
        found_from: Day | None = None               # the date or moment found_on, found_at or found, at least
        found_to: Day | None = None                 # … at most; a day of London where the column is a moment
        mine: Annotated[bool | None, Where(...)] = None
    ```

    `sorts` are columns that are never null, each with an index on (column, id); `id` is always one. `csv` are columns,
    or labelled expressions; amounts in pence are written in pounds there.
    """

    table: ClassVar[Table]
    orders: ClassVar[Mapping[str, ColumnElement[Any]]]
    default_order: ClassVar[str]
    csv_columns: ClassVar[tuple[ColumnElement[Any], ...]]
    csv_names: ClassVar[tuple[NameBeside, ...]]
    conditions: ClassVar[Mapping[str, Condition]]

    sort: Annotated[str | None, Field(max_length=60)] = None
    ids: Annotated[list[UUID] | None, Field(max_length=MAX_LIMIT, description="These only; all on one page.")] = None
    changed_since: Annotated[
        Moment | None,
        Field(description="Written since then. Begin a few minutes before the last look: commits come late."),
    ] = None

    @classmethod
    def __pydantic_init_subclass__(
        cls,
        *,
        of: type[SQLModel] | None = None,
        sorts: Sequence[str] | Mapping[str, ColumnElement[Any]] = (),
        default: str = "id",
        csv: Sequence[str | ColumnElement[Any]] = (),
        names: Sequence[NameBeside] = (),
        **kwargs: Any,
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if of is None:
            return
        table: Table = of.__table__  # type: ignore[attr-defined]
        cls.table = table
        own = sorts if isinstance(sorts, Mapping) else {name: table.c[name] for name in sorts}
        cls.orders = {**own, "id": table.c.id}
        cls.default_order = default
        fields = ", ".join(sorted(cls.orders))
        cls.model_fields["sort"].description = f"{fields}; a leading minus sorts downwards. {default} when absent."
        cls.csv_columns = tuple(table.c[column] if isinstance(column, str) else column for column in csv)
        cls.csv_names = tuple(names)
        common = ResourceList.model_fields.keys()
        cls.conditions = {
            name: _condition_of(name, field.metadata, table)
            for name, field in cls.model_fields.items()
            if name not in common
        }

    def __init_subclass__(cls, **_: Any) -> None:
        """Takes the class arguments that `__pydantic_init_subclass__` reads."""
        super().__init_subclass__()

    @classmethod
    def whole(cls) -> type[ResourceList]:
        """The same list without pages, as its CSV is asked for: `limit` and `cursor` are unknown there."""
        no_fields = {"limit": ClassVar[int], "cursor": ClassVar[None]}
        members = {"__module__": cls.__module__, "__doc__": cls.__doc__, "__annotations__": no_fields}
        return type(f"Whole{cls.__name__}", (cls,), {**members, "limit": MAX_LIMIT, "cursor": None})

    @field_validator("sort")
    @classmethod
    def _known_order(cls, sort: str | None) -> str | None:
        if sort is not None and sort.removeprefix("-") not in cls.orders:
            raise ValueError(f"unknown field; expected one of {', '.join(sorted(cls.orders))}")
        return sort

    @property
    def order(self) -> Order:
        """The order asked for, or the list's own."""
        return _order_of(type(self), self.sort or self.default_order)

    def narrow(self, statement: Select[Any]) -> Select[Any]:
        """The statement with every filter that was given."""
        if self.ids is not None:
            statement = statement.where(self.table.c.id == any_(literal(self.ids, ARRAY(Uuid))))
        if self.changed_since is not None:
            statement = statement.where(self.table.c.changed_at >= self.changed_since)
        for name, condition in self.conditions.items():
            value = getattr(self, name)
            if value is not None:
                statement = statement.where(condition(value))
        return statement

    async def page(
        self, session: AsyncSession, *, today: date | None = None, within: ColumnElement[bool] | None = None
    ) -> tuple[Sequence[Any], str | None]:
        """The rows of the page asked for, with the table's columns as attributes, and the cursor of the next.

        `within` is the part of the table that the list's address names: the notes of one thing.
        """
        limit = MAX_LIMIT if self.ids is not None else self.limit
        order = self.order
        statement = self.narrow(_page_of(type(self), order.name, behind=self.cursor is not None))
        if within is not None:
            statement = statement.where(within)
        parameters = {} if today is None else {"today": today}
        return await fetch_rows(session, statement, order, limit=limit, cursor=self.cursor, parameters=parameters)

    def csv_statement(self, *, today: date | None = None, within: ColumnElement[bool] | None = None) -> Select[Any]:
        """What the CSV shows, unordered."""
        statement = self.narrow(select(*self.csv_columns))
        return _on(today, statement if within is None else statement.where(within))


@lru_cache(maxsize=1000)
def _order_of(declared: type[ResourceList], name: str) -> Order:
    return Order(name, declared.orders[name.removeprefix("-")], declared.table.c.id)


@lru_cache(maxsize=1000)
def _page_of(declared: type[ResourceList], name: str, *, behind: bool) -> Select[Any]:
    """A page of all columns, not yet narrowed: made once, for making it costs as much as running it."""
    return _order_of(declared, name).page_of(select(*declared.table.c), behind=behind)


def _on(today: date | None, statement: Select[Any]) -> Select[Any]:
    return statement if today is None else statement.params(today=today)


def _condition_of(name: str, metadata: Sequence[Any], table: Table) -> Condition:
    for mark in metadata:
        if isinstance(mark, Where):
            return mark.condition
    if name in table.c:
        return lambda value: table.c[name] == value
    stem, _, end = name.rpartition("_")
    for candidate in (f"{stem}_on", f"{stem}_at", stem):
        if candidate in table.c and end in {"from", "to"}:
            return _bound(table.c[candidate], lower=end == "from")
    raise TypeError(f"the filter {name} is no column of {table.name} and has no Where")


def _bound(column: ColumnElement[Any], *, lower: bool) -> Condition:
    if not isinstance(column.type, DateTime):
        return (lambda value: column >= value) if lower else (lambda value: column <= value)
    if lower:
        return lambda day: column >= london_midnight(day)
    return lambda day: column < london_midnight(day + timedelta(days=1))


def london_midnight(day: date) -> datetime:
    """The moment at which a day begins in London."""
    return datetime.combine(day, time(), LONDON)
