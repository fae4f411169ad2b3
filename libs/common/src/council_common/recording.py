"""The tail of every use case: the row's next version, its line of history and its event, in one statement.

Two facts about one thing never share a version, which the history's unique index holds: a subscriber may drop an event
that is not newer than what it saw.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg import UniqueViolationError
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.contracts.fields import SourceReference
from council_common.database.at_once import AtOnce
from council_common.database.many_rows import copy_rows
from council_common.database.row_writes import Rows, RowWrite, note_stored, one_statement, take_values, write_of
from council_common.database.rows import watch
from council_common.database.sessions import driver
from council_common.database.tables import change as change_table
from council_common.database.tables import outbox
from council_common.errors import Conflict
from council_common.events.contract import Event
from council_common.events.envelope import WrittenEvent
from council_common.events.outbox import OUTBOX_COLUMNS, outbox_rows, stream_outbox_rows
from council_common.identity.actor import Actor
from council_common.ids import new_id

FEW = 4
"""Facts that go in a statement of their own: one for each number of them, planned once."""

_ONE_FACT_A_VERSION = "uq_change_entity_id_version"


class ChangedMeanwhile(Conflict):
    """A row was written by another request although the caller believed it locked."""

    code = "changed-meanwhile"


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened to one row: its line of history and, where others need it, an event. `fact` makes it."""

    row: Any
    action: str
    event: type[Event] | None
    reason: str | None
    detail: Mapping[str, Any]
    fields: Mapping[str, Any]


def fact(
    row: Any,
    action: str,
    event: type[Event] | None = None,
    *,
    reason: str | None = None,
    detail: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Fact:
    """One fact about a row, named by its past participle (`approved`).

    The row is new, or was locked by this transaction and changed by assignment. `reason` is a code; what a person wrote
    stands in `detail`, as `note`. The event's fields come from `fields`, else from the row's attributes of the same
    name; its key is the row's id, its `source` the row's and its `reason` the fact's.
    """
    return Fact(row, action, event, reason, detail or {}, fields)


class ChangeRow(NamedTuple):
    """One line of history, in the order of `CHANGE_COLUMNS`: what COPY takes."""

    id: UUID
    entity: str
    entity_id: UUID
    version: int
    at: datetime
    by: str
    by_name: str
    action: str
    reason: str | None
    detail: str


CHANGE_COLUMNS = ChangeRow._fields


async def record(session: AsyncSession, *facts: Fact, also: Iterable[Any] = (), by: Actor, at: datetime) -> None:
    """Write facts: each counts its row's version on by one, adds a line to its history and publishes its event.

    Rows, history and events go in one statement, with the rows of `also` that belong to them and have no history of
    their own; `also` alone stores what is no fact, such as progress. Several facts about one row have a version each;
    their events show the row as it is now.
    Raises ChangedMeanwhile where a row was not locked and another request wrote it.
    """
    writes: dict[int, RowWrite] = {}
    lines: list[ChangeRow] = []
    events: list[Event] = []
    for happened in facts:
        write = writes.get(id(happened.row))
        if write is None:
            write = writes[id(happened.row)] = write_of(happened.row)
            happened.row.version = write.version or 0
        happened.row.version += 1
        change = Change(
            write.table.name,
            happened.row.id,
            happened.row.version,
            happened.action,
            None,
            happened.reason,
            happened.detail,
        )
        lines.append(change_row(change, by=by, at=at))
        if happened.event is not None:
            events.append(_event_of(happened, happened.event, by=by, at=at))
    for row in also:
        writes.setdefault(id(row), write_of(row))
    changed = _changed(session, writes.values())
    if not changed:
        return
    additions = [Rows(change_table, CHANGE_COLUMNS, lines), Rows(outbox, OUTBOX_COLUMNS, outbox_rows(events))]
    if isinstance(session, AtOnce):
        session.keep(changed, additions)
        return
    statement, parameters = one_statement(changed, additions)
    try:
        written = await (await driver(session)).fetchval(statement, *parameters)
    except UniqueViolationError as taken:
        if taken.constraint_name != _ONE_FACT_A_VERSION:
            raise
        written = 0
    if written != len(changed):
        raise ChangedMeanwhile("This was changed by another request at the same moment. Read it again and repeat.")
    for write in changed:
        note_stored(write)


def _changed(session: AsyncSession, writes: Iterable[RowWrite]) -> list[RowWrite]:
    """The writes that have something to write. A new row is watched from here on, as a locked one is."""
    changed: list[RowWrite] = []
    for write in writes:
        take_values(write)
        if write.values:
            changed.append(write)
        if write.is_new:
            watch(session, write.row)
    return changed


def _event_of(of: Fact, event: type[Event], *, by: Actor, at: datetime) -> Event:
    row = of.row
    values: dict[str, Any] = {"version": row.version, "occurred_at": at, "by": by.subject, event.key_field: row.id}
    for name in event.model_fields:
        if name in of.fields:
            value = of.fields[name]
        elif name in values:
            continue
        elif name == "source":
            value = SourceReference(system=row.source_system, reference=row.source_reference)
        elif name == "reason":
            value = of.reason
        elif hasattr(row, name):
            value = getattr(row, name)
        else:
            continue
        values[name] = value.value if isinstance(value, Enum) else value
    _must_have(event, of.fields)
    return event(**values)


@lru_cache(maxsize=256)
def _names_of(event: type[Event]) -> frozenset[str]:
    return frozenset(event.model_fields)


def _must_have(event: type[Event], fields: Mapping[str, Any]) -> None:
    names = _names_of(event)
    if not fields.keys() <= names:
        raise TypeError(f"{event.__name__} has no {', '.join(sorted(fields.keys() - names))}")


class Change(NamedTuple):
    """A fact about something that a set-based statement wrote already: its new version, history line and event.

    `fields` are the event's own: its version, time, caller and key are the change's, and so is its `reason`. `by` is
    who did it, where that is not the same for all. `caused_by` is the aggregate whose event led to this one, where the
    event does not name it; `traceparent` the trace itself, where what began it was kept from an earlier transaction.
    From a hot path an event and a `detail` may be JSON already.
    """

    entity: str
    entity_id: UUID
    version: int
    action: str
    event: type[Event] | WrittenEvent | None = None
    reason: str | None = None
    detail: Mapping[str, Any] | str = "{}"
    by: Actor | None = None
    fields: Mapping[str, Any] = {}
    caused_by: UUID | None = None
    traceparent: str | None = None


def change_of(happened: Fact, *, by: Actor, at: datetime) -> Change:
    """A fact about a row that a set-based statement writes afterwards: its version counted on, its event made of the
    row as it is now. What `record` does with one fact, for thousands and `record_many`."""
    row = happened.row
    row.version = (row.version or 0) + 1
    event: WrittenEvent | None = None
    if happened.event is not None:
        made = _event_of(happened, happened.event, by=by, at=at)
        event = WrittenEvent(happened.event, made.key, at, made.model_dump_json())
    entity = str(type(row).__tablename__)
    return Change(entity, row.id, row.version, happened.action, event, happened.reason, happened.detail)


async def record_many(session: AsyncSession, changes: Iterable[Change], *, by: Actor, at: datetime) -> None:
    """Add the history and the events of many facts; their rows are locked or new in this transaction.

    Few go in one statement, more by COPY, which takes three round trips a table.
    """
    changes = list(changes)
    if not changes:
        return
    lines = (change_row(change, by=change.by or by, at=at) for change in changes)
    events = stream_outbox_rows(
        _event_of_change(change, change.event, by=change.by or by, at=at)
        for change in changes
        if change.event is not None
    )
    if len(changes) <= FEW:
        additions = [Rows(change_table, CHANGE_COLUMNS, list(lines)), Rows(outbox, OUTBOX_COLUMNS, list(events))]
        statement, parameters = one_statement([], additions)
        await (await driver(session)).execute(statement, *parameters)
        return
    await copy_rows(session, "change", CHANGE_COLUMNS, lines)
    if any(change.event is not None for change in changes):
        await copy_rows(session, "outbox", OUTBOX_COLUMNS, events)


def _event_of_change(
    change: Change, event: type[Event] | WrittenEvent, *, by: Actor, at: datetime
) -> Event | WrittenEvent:
    if isinstance(event, WrittenEvent):
        return event
    _must_have(event, change.fields)
    values = {"version": change.version, "occurred_at": at, "by": by.subject, "reason": change.reason, **change.fields}
    values[event.key_field] = change.entity_id
    made = event(**values)
    if change.caused_by is None and change.traceparent is None:
        return made
    return WrittenEvent(event, made.key, at, made.model_dump_json(), change.caused_by, change.traceparent)


def change_row(change: Change, *, by: Actor, at: datetime) -> ChangeRow:
    """One line of history as it is stored."""
    return ChangeRow(
        id=new_id(),
        entity=change.entity,
        entity_id=change.entity_id,
        version=change.version,
        at=at,
        by=by.subject,
        by_name=by.name,
        action=change.action,
        reason=change.reason,
        detail=change.detail if isinstance(change.detail, str) else json.dumps(change.detail, default=str),
    )
