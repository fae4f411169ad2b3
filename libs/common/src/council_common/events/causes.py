"""Whose trace an event carries: that of the event whose handling publishes it, where thousands are handled at once too.

A set-based handler publishes for many events in one statement, so that there is no current trace per event. While it
works, the event at work about an aggregate is known by the aggregate's id; what names that aggregate in the field of
the same name (`invoice_id` of InvoicePaidV1 and of RebateEarnedV1) was caused by it. A WrittenEvent says `caused_by`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Protocol

from council_common.events.contract import Event
from council_common.events.envelope import WrittenEvent
from council_common.observability.traces import current_traceparent


class Cause(Protocol):
    """An event at work and the W3C traceparent it came with."""

    @property
    def event(self) -> Event: ...
    @property
    def traceparent(self) -> str | None: ...


class Causes:
    """The events a set-based handler works on: of one type, each about another aggregate."""

    def __init__(self, events: Sequence[Cause]) -> None:
        self._events = events
        self._key_field = type(events[0].event).key_field if events else ""

    def traceparent_of(self, aggregate_id: object) -> str | None:
        """That of the event about this aggregate; where it has none, or there is no such event, the current one."""
        return self._by_aggregate.get(aggregate_id) or self._current

    def traceparent_for(self, published: Event | WrittenEvent) -> str | None:
        """What an event to be published carries."""
        if isinstance(published, WrittenEvent):
            return published.traceparent or self.traceparent_of(published.caused_by or published.key)
        return self.traceparent_of(getattr(published, self._key_field, None))

    @cached_property
    def _by_aggregate(self) -> dict[object, str | None]:
        return {cause.event.key: cause.traceparent for cause in self._events}

    @cached_property
    def _current(self) -> str | None:
        return current_traceparent()


_at_work: ContextVar[Causes | None] = ContextVar("causes_at_work", default=None)


@contextmanager
def caused_by(events: Sequence[Cause]) -> Iterator[None]:
    """What is published inside answers these events."""
    before = _at_work.set(Causes(events))
    try:
        yield
    finally:
        _at_work.reset(before)


def current_causes() -> Causes:
    """The events at work; outside of a set-based handler none, so that everything carries the current trace."""
    return _at_work.get() or Causes(())
