"""Publishing: an event is written beside its fact, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.tables import outbox
from council_common.events.causes import current_causes
from council_common.events.contract import Event
from council_common.events.envelope import WrittenEvent, seal, seal_written
from council_common.ids import new_id

MAX_EVENT_BYTES = 1_000_000
"""Kafka's own limit is 1,048,588 bytes a batch, headers and key among them."""


class OutboxRow(NamedTuple):
    """One row of the outbox, in the order of `OUTBOX_COLUMNS`: what COPY takes."""

    id: UUID
    topic: str
    aggregate_id: UUID
    type: str
    payload: bytes


OUTBOX_COLUMNS = OutboxRow._fields


def outbox_row(
    event: Event | WrittenEvent, *, event_id: UUID | None = None, traceparent: str | None = None
) -> OutboxRow:
    """An event as it is stored and will be sent; raises ValueError where the broker would never take it.

    Without a `traceparent` it carries that of its cause, as `outbox_rows` says.
    """
    return _row(event, event_id or new_id(), traceparent or current_causes().traceparent_for(event))


def outbox_rows(events: Iterable[Event | WrittenEvent]) -> list[OutboxRow]:
    """Many events as they are stored, each under the trace of what caused it.

    That is the current trace, and in a set-based handler the trace of the event at work about the aggregate which the
    new event names (`council_common.events.causes`).
    """
    return list(stream_outbox_rows(events))


def stream_outbox_rows(events: Iterable[Event | WrittenEvent]) -> Iterator[OutboxRow]:
    """`outbox_rows` one by one, for COPY: thousands of them held at once would fill the processor's caches."""
    causes = current_causes()
    for event in events:
        yield _row(event, new_id(), causes.traceparent_for(event))


def _row(event: Event | WrittenEvent, event_id: UUID, traceparent: str | None) -> OutboxRow:
    if isinstance(event, WrittenEvent):
        event_type, payload = event.type, seal_written(event, event_id=event_id, traceparent=traceparent)
    else:
        event_type, payload = type(event), seal(event, event_id=event_id, traceparent=traceparent)
    if len(payload) > MAX_EVENT_BYTES:
        raise ValueError(f"{event_type.__name__} takes {len(payload)} bytes; the broker takes {MAX_EVENT_BYTES}")
    return OutboxRow(event_id, event_type.topic, event.key, event_type.type, payload)


async def publish(session: AsyncSession, *events: Event) -> None:
    """Record events with their facts; the relay sends them after the commit.

    Lock the aggregate's row first (or have just inserted it): the order of events follows the order of locks.
    """
    if events:
        await session.execute(insert(outbox), [row._asdict() for row in outbox_rows(events)])
