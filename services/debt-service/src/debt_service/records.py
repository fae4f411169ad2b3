"""Many rows at once, by COPY: facts, their history and their events, in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.sessions import driver
from council_common.events.contract import Event
from council_common.events.outbox import OUTBOX_COLUMNS, outbox_rows
from council_common.identity.actor import Actor
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

CHANGE_COLUMNS = ("id", "entity", "entity_id", "version", "at", "by", "by_name", "action", "reason", "detail")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one entity, for its history."""

    entity: str
    entity_id: UUID
    version: int
    action: str
    reason: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


async def copy_rows(session: AsyncSession, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add rows to a table by COPY."""
    connection = await driver(session)
    await connection.copy_records_to_table(table, columns=list(columns), records=rows)


async def write_events(session: AsyncSession, events: Iterable[Event]) -> None:
    """Record events with the facts they publish; the aggregates' rows are locked or new."""
    rows = outbox_rows(events)
    if rows:
        await copy_rows(session, "outbox", OUTBOX_COLUMNS, rows)


async def write_changes(session: AsyncSession, changes: Iterable[Change], *, by: Actor, at: datetime) -> None:
    """Add changes to the history."""
    rows = [
        (
            new_id(),
            change.entity,
            change.entity_id,
            change.version,
            at,
            by.subject,
            by.name,
            change.action,
            change.reason,
            json.dumps(change.detail, default=str),
        )
        for change in changes
    ]
    if rows:
        await copy_rows(session, "change", CHANGE_COLUMNS, rows)
