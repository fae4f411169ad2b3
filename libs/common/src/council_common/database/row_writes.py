"""New and changed rows in one statement: one round trip, one plan, however many tables it touches.

Only for rows that this transaction made or has locked: the statement says how many it wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import Column, Table, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_DIALECT.supports_native_uuid = True


_Kind = Literal["insert", "update", "update of a version"]


class _Parameter(NamedTuple):
    """How a column's value reaches the driver: the type it is cast to, and what makes it of a Python value."""

    type: str
    convert: Callable[[Any], Any] | None


@dataclass(slots=True)
class RowWrite:
    """One row to be inserted, or updated where it still has `version` (None: it has none); `values` are its columns."""

    row: Any
    table: Table
    is_new: bool
    version: int | None
    values: dict[str, Any]


def write_of(row: Any) -> RowWrite:
    """What has to be written of a row: all of a new one, what was assigned of one that was read."""
    state = inspect(row)
    table: Table = state.mapper.local_table
    is_new = state.key is None
    version = None if is_new or "version" not in table.c else row.version
    return RowWrite(row, table, is_new, version, {})


def take_values(write: RowWrite) -> None:
    """Fill `values` from the row as it is now."""
    state = inspect(write.row)
    if write.is_new:
        given = {column.name: getattr(write.row, column.name) for column in write.table.columns}
        # A column the database fills by itself stays out as long as nothing was assigned.
        write.values = {
            name: value
            for name, value in given.items()
            if value is not None or write.table.c[name].server_default is None
        }
    else:
        write.values = {name: getattr(write.row, name) for name in sorted(state.committed_state)}


def note_stored(write: RowWrite) -> None:
    """Tell SQLAlchemy that a row's values are those of the database: nothing is written a second time."""
    if write.is_new:
        make_transient_to_detached(write.row)
        return
    for name, value in write.values.items():
        set_committed_value(write.row, name, value)


class Rows(NamedTuple):
    """Tuples for a table, each in the order of `columns`."""

    table: Table
    columns: tuple[str, ...]
    tuples: Sequence[Sequence[Any]]


def one_statement(
    writes: Sequence[RowWrite], additions: Sequence[Rows], *, claim: Rows | None = None, or_nothing: bool = False
) -> tuple[str, list[Any]]:
    """A statement that does all this at once and answers how many of `writes` it did, and its parameters.

    `claim` is one more row that may be there already and counts like a write. With `or_nothing` the statement fails
    (SQL state `CP409`) and nothing of it stays, unless it did everything.
    """
    shape = tuple((write.table, _kind(write), tuple(write.values)) for write in writes)
    added = tuple((rows.table, rows.columns, len(rows.tuples)) for rows in additions if rows.tuples)
    parameters: list[Any] = []
    for write in writes:
        parameters += [_converted(write.table, name, value) for name, value in write.values.items()]
        if not write.is_new:
            parameters.append(write.row.id)
        if write.version is not None:
            parameters.append(write.version)
    for rows in (*additions, *([claim] if claim is not None else [])):
        for values in rows.tuples:
            parameters += values
    claimed = None if claim is None else (claim.table, claim.columns)
    return _composed(shape, added, claimed, or_nothing), parameters


def _kind(write: RowWrite) -> _Kind:
    if write.is_new:
        return "insert"
    return "update" if write.version is None else "update of a version"


def _converted(table: Table, name: str, value: Any) -> Any:
    convert = _parameters(table)[name].convert
    return value if convert is None else convert(value)


@lru_cache(maxsize=1024)
def _parameters(table: Table) -> dict[str, _Parameter]:
    return {column.name: _parameter(column) for column in table.columns}


def _as_json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, default=str)


def _parameter(column: Column[Any]) -> _Parameter:
    if isinstance(column.type, postgresql.JSONB):
        return _Parameter("jsonb", _as_json)
    implementation = column.type.dialect_impl(_DIALECT)
    processor = None if str(column.type) in {"UUID", "CHAR(32)"} else implementation.bind_processor(_DIALECT)
    return _Parameter(column.type.compile(dialect=_DIALECT), processor)


@lru_cache(maxsize=4096)
def _composed(
    writes: tuple[tuple[Table, _Kind, tuple[str, ...]], ...],
    additions: tuple[tuple[Table, tuple[str, ...], int], ...],
    claim: tuple[Table, tuple[str, ...]] | None,
    or_nothing: bool,
) -> str:
    place = 0
    parts: list[str] = []

    def parameters(table: Table, names: Sequence[str]) -> list[str]:
        nonlocal place
        types = _parameters(table)
        made = [f"${place + number}::{types[name].type}" for number, name in enumerate(names, 1)]
        place += len(names)
        return made

    for number, (table, kind, names) in enumerate(writes):
        values = parameters(table, names)
        if kind == "insert":
            columns = _listed(names)
            write = f"INSERT INTO {table.name} ({columns}) VALUES ({', '.join(values)})"
        else:
            assigned = ", ".join(f'"{name}" = {value}' for name, value in zip(names, values, strict=True))
            keys = ("id", "version") if kind == "update of a version" else ("id",)
            where = " AND ".join(f"{key} = {value}" for key, value in zip(keys, parameters(table, keys), strict=True))
            write = f"UPDATE {table.name} SET {assigned} WHERE {where}"
        parts.append(f"written_{number} AS ({write} RETURNING 1)")
    for table, its_columns, count in additions:
        rows = ", ".join(f"({', '.join(parameters(table, its_columns))})" for _ in range(count))
        parts.append(f"added_{table.name} AS (INSERT INTO {table.name} ({_listed(its_columns)}) VALUES {rows})")
    counted = [f"written_{number}" for number in range(len(writes))]
    if claim is not None:
        table, its_columns = claim
        row = ", ".join(parameters(table, its_columns))
        insert = f"INSERT INTO {table.name} ({_listed(its_columns)}) VALUES ({row}) ON CONFLICT DO NOTHING"
        parts.append(f"claimed AS ({insert} RETURNING 1)")
        counted.append("claimed")
    counts = " + ".join(f"(SELECT count(*) FROM {part})" for part in counted) or "0"
    if or_nothing:
        whole = len(counted)
        counts = f"CASE {counts} WHEN {whole} THEN {whole} ELSE take_back('another request was quicker') END"
    return f"WITH {', '.join(parts)} SELECT {counts}"


def _listed(names: Sequence[str]) -> str:
    """Column names in quotes: a column may be called `on`."""
    return ", ".join(f'"{name}"' for name in names)
