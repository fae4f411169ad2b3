"""Events that cannot be handled: kept with their reason, published on `<topic>.dead`, replayed by a command.

While one waits, later events of the same aggregate wait behind it: none overtakes it unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.clock import Clock
from council_common.database.sessions import Sessions, fetch_all
from council_common.database.tables import dead_letter, outbox
from council_common.events.contract import Event
from council_common.events.envelope import read_event, type_of
from council_common.events.handlers import Handlers, Received
from council_common.events.inbox import LAST_LETTERS, mark_handled
from council_common.events.topics import dead_topic
from council_common.ids import new_id
from council_common.observability.metrics import EVENTS_DEAD
from council_common.observability.safe_text import safe_text

PUBLISHED_BYTES = 64 * 1024
WAITS_BEHIND = "an earlier event of the same aggregate waits as a dead letter"


# One fixed statement, planned once, however many keys a batch has.
_WAITING = f"SELECT letter.topic, letter.key FROM {LAST_LETTERS}"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be handled, where it stood, why, and after how many attempts."""

    topic: str
    partition: int
    offset: int
    key: str
    type: str | None
    payload: bytes
    reason: str
    attempts: int


async def waiting_keys(session: AsyncSession, keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (topic, key) have a dead letter waiting."""
    asked = list(keys)
    found = await fetch_all(session, _WAITING, [topic for topic, _ in asked], [key for _, key in asked])
    return {(row["topic"], row["key"]) for row in found}


async def keep_dead_letter(session: AsyncSession, letter: DeadLetter, *, at: datetime) -> None:
    """Keep a record for replay and publish it on the dead topic; the same record twice is kept once.

    The topic gets at most the first 64 KiB of the payload: the whole is kept here.
    """
    kept = await session.execute(
        upsert(dead_letter)
        .values(
            id=new_id(),
            topic=letter.topic,
            partition=letter.partition,
            record_offset=letter.offset,
            key=letter.key,
            type=letter.type,
            payload=letter.payload,
            reason=letter.reason[:2000],
            attempts=letter.attempts,
            failed_at=at,
        )
        .on_conflict_do_nothing()
        .returning(dead_letter.c.id)
    )
    letter_id = kept.scalar()
    if letter_id is None:
        return
    body = {
        "id": str(letter_id),
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "key": letter.key,
        "type": letter.type,
        "reason": letter.reason[:2000],
        "attempts": letter.attempts,
        "failed_at": at.isoformat(),
        "payload": letter.payload[:PUBLISHED_BYTES].decode(errors="replace"),
        "payload_bytes": len(letter.payload),
    }
    await session.execute(
        insert(outbox).values(
            id=letter_id,
            topic=dead_topic(letter.topic),
            aggregate_id=_as_uuid(letter.key) or letter_id,
            type=letter.type or "unreadable",
            payload=json.dumps(body, ensure_ascii=False).encode(),
        )
    )
    EVENTS_DEAD.labels(letter.topic).inc()


async def replay_dead_letters(
    sessions: Sessions,
    handlers: Handlers,
    *,
    clock: Clock,
    only: Sequence[UUID] = (),
) -> tuple[int, list[tuple[UUID, str]]]:
    """Handle dead letters again, oldest first; those that fail stay, and so does what waits behind them.

    Letters that come in meanwhile are taken, too. Returns how many were handled, and (id, reason) of those that still
    fail.
    """
    handled = 0
    failed: list[tuple[UUID, str]] = []
    seen: set[UUID] = set()
    blocked: set[tuple[str, str]] = set()
    while rows := [row for row in await _letters(sessions) if row.id not in seen]:
        for row in rows:
            seen.add(row.id)
            if (only and row.id not in only) or (row.topic, row.key) in blocked:
                blocked.add((row.topic, row.key))
                continue
            try:
                received = _received(row, handlers.types, now=clock())
                async with sessions.begin() as session:
                    # Before anything else: from here on nothing is kept behind this letter.
                    kept = await session.execute(select(dead_letter.c.id).where(_is(row.id)).with_for_update())
                    if kept.scalar() is None:
                        continue  # discarded meanwhile
                    if await mark_handled(session, [received]):
                        await handlers.handle(session, [received])
                    await session.execute(delete(dead_letter).where(_is(row.id)))
                handled += 1
            except Exception as fault:
                failed.append((row.id, safe_text(fault)))
                blocked.add((row.topic, row.key))
    return handled, failed


async def discard_dead_letter(session: AsyncSession, letter_id: UUID) -> DeadLetter | None:
    """Give up an event that can never be handled, so that what waits behind it may go on; None if there is none."""
    gone = await session.execute(delete(dead_letter).where(_is(letter_id)).returning(dead_letter))
    row = gone.one_or_none()
    if row is None:
        return None
    return DeadLetter(
        row.topic, row.partition, row.record_offset, row.key, row.type, row.payload, row.reason, row.attempts
    )


def _received(row: Any, types: Mapping[str, type[Event]], *, now: datetime) -> Received[Any]:
    """A letter as it would be handled; what its producer did not send stays a letter."""
    envelope = read_event(row.payload, types[row.type or type_of(row.payload)], topic=row.topic, key=row.key)
    return Received(envelope.data, envelope.id, now, envelope.traceparent)


async def _letters(sessions: Sessions) -> Sequence[Any]:
    async with sessions() as session:
        found = await session.execute(
            select(dead_letter).order_by(dead_letter.c.partition, dead_letter.c.record_offset)
        )
        return found.all()


def _is(letter_id: UUID) -> ColumnElement[bool]:
    return dead_letter.c.id == letter_id


def _as_uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None
