"""One row by its id: read, or locked until the transaction ends. What is not there is `<noun>-not-found`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import Column, Table, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, class_mapper, make_transient_to_detached
from sqlalchemy.orm.attributes import instance_state
from sqlmodel import SQLModel

from council_common.database.columns import EnumText
from council_common.database.sessions import fetch_row
from council_common.errors import NotFound

R = TypeVar("R", bound=SQLModel)

_WATCHED = "rows to be recorded"
_NOTHING: Mapping[str, Any] = {}


class ChangeNotRecorded(Exception):
    """Something was assigned to a row that is not the session's, and not recorded: it would be lost in silence."""


async def get_row(session: AsyncSession, table: type[R], row_id: UUID) -> R:
    """A row by its id. Raises NotFound with the table's noun in its code."""
    row = await session.get(table, row_id)
    if row is None:
        raise NotFound.of(noun_of(table))
    return row


async def lock_row(session: AsyncSession, table: type[R], row_id: UUID) -> R:
    """A row as it is now, locked until the transaction ends: the order of locks is the order of events.

    A driver statement, as every act begins with one: a row read through the session costs four times as much. The row
    is not the session's: `record` writes what was assigned, and the commit is refused (ChangeNotRecorded) where it was
    not asked to. Raises NotFound with the table's noun in its code.
    """
    found = await fetch_row(session, lock_statement(table), row_id)
    if found is None:
        raise NotFound.of(noun_of(table))
    return locked_row(session, table, found)


def locked_row(session: AsyncSession, table: type[R], values: Mapping[str, Any]) -> R:
    """`row_of` for a row that a statement of this session has locked: what is assigned to it has to be recorded."""
    row = row_of(table, values)
    watch(session, row)
    return row


def watch(session: AsyncSession, row: Any) -> None:
    """Refuse the commit where something is assigned to a row and not recorded."""
    session.info.setdefault(_WATCHED, []).append(row)


def must_be_recorded(info: Mapping[Any, Any], written: Mapping[int, Mapping[str, Any]]) -> None:
    """Raise ChangeNotRecorded for a watched row with other values than it was read with, or was last written with.

    `info` is the session's; `written` are values on their way to the database, by the `id()` of their row.
    """
    for row in info.get(_WATCHED, ()):
        state = instance_state(row)
        stored = written.get(id(row), _NOTHING)
        if state.key is not None and state.committed_state:
            stored = {**state.committed_state, **stored}
        value_of = state.dict.get
        lost = [name for name, value in stored.items() if (now := value_of(name)) is not value and now != value]
        if lost:
            raise ChangeNotRecorded(f"{noun_of(type(row))} {row.id}: {', '.join(sorted(lost))}")


@event.listens_for(Session, "before_commit")
def _refuse_what_was_not_recorded(session: Session) -> None:
    if _WATCHED in session.info and not session.in_nested_transaction():
        must_be_recorded(session.info, {})
        del session.info[_WATCHED]


@event.listens_for(Session, "after_rollback")
def _forget_what_was_watched(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_WATCHED, None)


@lru_cache(maxsize=256)
def lock_statement(table: type[SQLModel]) -> str:
    """The statement that reads one row by its id and locks it."""
    name = table.__tablename__
    return f"SELECT {columns_of(table, str(name))} FROM {name} WHERE id = $1 FOR NO KEY UPDATE"


def columns_of(table: type[SQLModel], alias: str) -> str:
    """All columns of a table under an alias, for a driver statement whose rows `row_of` takes."""
    columns: Table = table.__table__  # type: ignore[attr-defined]
    return ", ".join(f"{alias}.{column.name}" for column in columns.columns)


def row_of(table: type[R], values: Mapping[str, Any]) -> R:
    """A row from the driver's values by column, as if it had been read through a session and let go."""
    row: R = class_mapper(table).class_manager.new_instance()
    row.__dict__.update(
        (name, value if convert is None or value is None else convert(value))
        for name, convert in _converters(table)
        for value in (values[name],)
    )
    make_transient_to_detached(row)
    return row


def plain_row(table: type[R], values: Mapping[str, Any]) -> R:
    """`row_of` for set-based work on thousands: columns and properties of the table's class, and nothing else.

    No session knows it and nobody notes what is assigned to it: whoever read it writes it, in a statement of their own.
    An attribute of a row costs ten times as much as one of this.
    """
    plain = _plain_class(table)()
    plain.__dict__.update(
        (name, value if convert is None or value is None else convert(value))
        for name, convert in _converters(table)
        for value in (values[name],)
    )
    return cast("R", plain)


@lru_cache(maxsize=256)
def _plain_class(table: type[SQLModel]) -> type:
    properties = {name: value for name, value in vars(table).items() if isinstance(value, property)}
    return type(f"Plain{table.__name__}", (), {"__tablename__": table.__tablename__, **properties})


@lru_cache(maxsize=256)
def _converters(table: type[SQLModel]) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    columns: Table = table.__table__  # type: ignore[attr-defined]
    return tuple((column.name, _converter(column)) for column in columns.columns)


def _converter(column: Column[Any]) -> Callable[[Any], Any] | None:
    # JSON comes read: SQLAlchemy has set the codec of its connections.
    if isinstance(column.type, EnumText):
        return column.type.members
    return None


def noun_of(table: type[SQLModel]) -> str:
    """What a row of a table is called: `dunning_run` is a "dunning run"."""
    return str(table.__tablename__).replace("_", " ")
