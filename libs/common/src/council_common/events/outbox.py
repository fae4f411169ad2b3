"""Publishing: an event is written beside its fact, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

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


def outbox_rows(events: Iterable[Event | WrittenEvent]) -> list[OutboxRow]:
    """Events as they are stored and will be sent; raises ValueError for one that the broker would never take.

    Each carries the trace of what caused it: the current one, and in a set-based handler that of the event at work
    about the aggregate which the new event names (`council_common.events.causes`).
    """
    return list(stream_outbox_rows(events))


def stream_outbox_rows(events: Iterable[Event | WrittenEvent]) -> Iterator[OutboxRow]:
    """`outbox_rows` one by one, for COPY: thousands of them held at once would fill the processor's caches."""
    causes = current_causes()
    for event in events:
        event_id, traceparent = new_id(), causes.traceparent_for(event)
        if isinstance(event, WrittenEvent):
            event_type, payload = event.type, seal_written(event, event_id=event_id, traceparent=traceparent)
        else:
            event_type, payload = type(event), seal(event, event_id=event_id, traceparent=traceparent)
        if len(payload) > MAX_EVENT_BYTES:
            raise ValueError(f"{event_type.__name__} takes {len(payload)} bytes; the broker takes {MAX_EVENT_BYTES}")
        yield OutboxRow(event_id, event_type.topic, event.key, event_type.type, payload)
