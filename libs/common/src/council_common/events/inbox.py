"""The inbox: an event that was handled once is never handled again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.sessions import driver, fetch_all
from council_common.database.tables import inbox
from council_common.events.handlers import Received

# Driver statements: fixed ones, planned once, on the way of every event.
_MARK = """
INSERT INTO inbox (event_id, type) SELECT * FROM unnest($1::uuid[], $2::text[])
ON CONFLICT (event_id) DO NOTHING RETURNING event_id
"""
LAST_LETTERS = """
unnest($1::text[], $2::text[]) AS asked(topic, key) CROSS JOIN LATERAL (
    SELECT * FROM dead_letter WHERE topic = asked.topic AND key = asked.key
    ORDER BY partition DESC, record_offset DESC LIMIT 1 FOR KEY SHARE
) AS letter
"""
"""The last dead letter of each key asked for, for a FROM clause. It stays until the commit: a replay that is about to
remove it first waits for what is being kept behind it."""

# While a letter waits for one of the keys, nothing is marked: who comes behind it has to be told apart first.
_MARK_IF_NONE_WAITS = f"""
WITH waiting AS (
    SELECT letter.id FROM {LAST_LETTERS}
), marked AS (
    INSERT INTO inbox (event_id, type) SELECT * FROM unnest($3::uuid[], $4::text[])
    WHERE NOT EXISTS (SELECT FROM waiting)
    ON CONFLICT (event_id) DO NOTHING RETURNING event_id
)
SELECT EXISTS (SELECT FROM waiting) AS waits, array(SELECT event_id FROM marked) AS marked
"""
_FORGET = """
WITH gone AS (DELETE FROM inbox WHERE handled_at < $1 RETURNING type)
INSERT INTO events_forgotten (type, count) SELECT type, count(*) FROM gone GROUP BY type
ON CONFLICT (type) DO UPDATE SET count = events_forgotten.count + excluded.count
"""


async def mark_if_none_waits(
    session: AsyncSession, received: Sequence[Received[Any]], keys: Iterable[tuple[str, str]]
) -> Sequence[Received[Any]] | None:
    """`mark_handled`, unless a dead letter waits for one of the keys (topic, key): then None, and nothing is marked.

    What nearly every batch begins with, in one round trip.
    """
    topics, keys_ = map(list, zip(*keys, strict=True))
    ids, types = [one.id for one in received], [one.event.type for one in received]
    [row] = await fetch_all(session, _MARK_IF_NONE_WAITS, topics, keys_, ids, types)
    return None if row["waits"] else _fresh(received, set(row["marked"]))


async def mark_handled(session: AsyncSession, received: Sequence[Received[Any]]) -> Sequence[Received[Any]]:
    """Mark events in the transaction of their effect; returns those that had not been handled before."""
    connection = await driver(session)
    rows = await connection.fetch(_MARK, [one.id for one in received], [one.event.type for one in received])
    return _fresh(received, {row["event_id"] for row in rows})


def _fresh(received: Sequence[Received[Any]], marked: set[UUID]) -> Sequence[Received[Any]]:
    """The events that were marked now. One may come twice in a batch: it is handled once, as it came first."""
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
