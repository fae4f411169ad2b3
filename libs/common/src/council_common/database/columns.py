"""Kinds of column that every service's tables share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar

from sqlalchemy import DDL, CheckConstraint, Column, DateTime, Dialect, Index, Table, Text, event, func
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

UTC_TIME: Any = DateTime(timezone=True)
"""A moment. PostgreSQL keeps it in UTC."""

E = TypeVar("E", bound=Enum)


class EnumText(TypeDecorator[E], Generic[E]):
    """A column of text that loads the members of an enumeration and whose CHECK lists their values.

    The CHECK is part of the table's metadata, so a member that no migration knows fails the comparison of tables
    and not the first insert. `status: Status = Field(sa_type=EnumText(Status))` makes `ck_<table>_status`.
    """

    impl = Text
    cache_ok = True

    def __init__(self, members: type[E]) -> None:
        super().__init__()
        self.members = members
        event.listen(self, "after_parent_attach", _check_members)

    def copy(self, **_: Any) -> EnumText[E]:
        return EnumText(self.members)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else str(self.members(value).value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], E | None]:
        """By a dictionary: a page of fifty rows reads some hundred and fifty members."""
        del dialect, coltype
        known: dict[str | None, E | None] = {str(member.value): member for member in self.members}
        known[None] = None
        return known.__getitem__

    @property
    def python_type(self) -> type[E]:
        return self.members


def members_check(column: str, members: type[Enum]) -> str:
    """The condition of an enumeration's CHECK, for migrations and metadata alike.

    >>> class Status(Enum):
    ...     OPEN = "open"
    ...     CLOSED = "closed"
    >>> members_check("status", Status)
    "status IN ('open', 'closed')"
    """
    return f"{column} IN ({', '.join(repr(str(member.value)) for member in members)})"


def _check_members(of: EnumText[Any], column: Column[Any]) -> None:
    @event.listens_for(column, "after_parent_attach")
    def _add(column: Column[Any], table: Table) -> None:
        table.append_constraint(CheckConstraint(members_check(column.name, of.members), name=column.name))


class _ChangedAt(TypeDecorator[datetime]):
    """A moment that the database sets whenever the row is written, with its index."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def __init__(self) -> None:
        super().__init__()
        event.listen(self, "after_parent_attach", _keep_changed_at)

    def copy(self, **_: Any) -> _ChangedAt:
        return _ChangedAt()


def _keep_changed_at(_: _ChangedAt, column: Column[Any]) -> None:
    @event.listens_for(column, "after_parent_attach")
    def _add(column: Column[Any], table: Table) -> None:
        Index(None, column, postgresql_using="brin")
        event.listen(table, "after_create", DDL(_note_change(table.name)))  # type: ignore[no-untyped-call]


class Listed(SQLModel):
    """What a table that callers list derives from, beside its service's `Row`.

    `changed_at` is when the row was last written, by the database's clock: a list's `changed_since` asks for it. The
    database keeps it by itself (`listed_table` in the table's migration), so that no statement can forget it.
    """

    changed_at: datetime | None = Field(
        default=None,
        exclude=True,
        nullable=False,
        sa_type=_ChangedAt(),
        sa_column_kwargs={"server_default": func.now()},
    )


def listed_table(table: str) -> tuple[str, str]:
    """The statements of a migration that keep `changed_at` of a table which derives from `Listed`.

    The index is BRIN: it costs an insert nearly nothing and leaves updates heap-only.
    """
    return f"CREATE INDEX ix_{table}_changed_at ON {table} USING brin (changed_at)", _note_change(table)


def _note_change(table: str) -> str:
    return f"CREATE TRIGGER note_change BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION note_change()"
