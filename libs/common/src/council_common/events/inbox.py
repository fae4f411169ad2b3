"""The inbox: an event that was handled once is never handled again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.sessions import driver
from council_common.database.tables import inbox
from council_common.events.handlers import Received

# Driver statements: fixed ones, planned once, on the way of every event.
_MARK = """
INSERT INTO inbox (event_id, type) SELECT * FROM unnest($1::uuid[], $2::text[])
ON CONFLICT (event_id) DO NOTHING RETURNING event_id
"""
_FORGET = """
WITH gone AS (DELETE FROM inbox WHERE handled_at < $1 RETURNING type)
INSERT INTO events_forgotten (type, count) SELECT type, count(*) FROM gone GROUP BY type
ON CONFLICT (type) DO UPDATE SET count = events_forgotten.count + excluded.count
"""


async def mark_handled(session: AsyncSession, received: Sequence[Received[Any]]) -> Sequence[Received[Any]]:
    """Mark events in the transaction of their effect; returns those that had not been handled before.

    The same event may come twice in one batch: it is handled once, as it came first.
    """
    connection = await driver(session)
    rows = await connection.fetch(_MARK, [one.id for one in received], [one.event.type for one in received])
    marked = {row["event_id"] for row in rows}
    if len(marked) == len(received):
        return received
    first: dict[UUID, Received[Any]] = {}
    for one in received:
        first.setdefault(one.id, one)
    return [one for event_id, one in first.items() if event_id in marked]


async def handled_before(session: AsyncSession, ids: Iterable[UUID]) -> set[UUID]:
    """Which of these events were handled before."""
    result = await session.execute(select(inbox.c.event_id).where(inbox.c.event_id.in_(list(ids))))
    return set(result.scalars())


async def purge_marks(session: AsyncSession, *, before: datetime) -> None:
    """Forget marks older than the topics' retention: their events cannot come again. Their number is kept."""
    await (await driver(session)).execute(_FORGET, before)
