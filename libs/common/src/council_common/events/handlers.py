"""Handlers: another service's fact leads to our use case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from opentelemetry import trace
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.contextvars import bound_contextvars

from council_common.events.causes import caused_by
from council_common.events.contract import Event
from council_common.observability.traces import span

E = TypeVar("E", bound=Event)


class Received(NamedTuple, Generic[E]):
    """An event as it arrived: the fact, its id, the time at which we handle it (UTC), and its W3C traceparent."""

    event: E
    id: UUID
    now: datetime
    traceparent: str | None = None


ManyHandler = Callable[[AsyncSession, Sequence[Received[Any]]], Awaitable[None]]


class Handlers:
    """The events a service subscribes to, each with what we do.

    >>> handlers = Handlers()
    >>> @handlers.on(InvoicePaidV1)                       # doctest: +SKIP
    ... async def earn_rebate(session, received): ...
    """

    def __init__(self) -> None:
        self._by_type: dict[str, tuple[type[Event], ManyHandler]] = {}
        self._before: list[tuple[frozenset[str], ManyHandler]] = []

    @classmethod
    def including(cls, *rooms: Handlers) -> Handlers:
        """The handlers of a service from those of its rooms. Raises ValueError where two rooms handle one event."""
        service = cls()
        for room in rooms:
            for event_type, handler in room._by_type.values():
                service._add(event_type, handler)
            service._before += room._before
        return service

    def on(self, event_type: type[E]) -> Callable[[Callable[[AsyncSession, Received[E]], Awaitable[None]]], Any]:
        """Handle events one after the other, each under its own trace."""

        def register(handler: Callable[[AsyncSession, Received[E]], Awaitable[None]]) -> Any:
            async def one_by_one(session: AsyncSession, received: Sequence[Received[Any]]) -> None:
                for one in received:
                    with _own_trace(one), bound_contextvars(event_id=str(one.id)):
                        await handler(session, one)

            self._add(event_type, one_by_one)
            return handler

        return register

    def on_many(
        self, event_type: type[E]
    ) -> Callable[[Callable[[AsyncSession, Sequence[Received[E]]], Awaitable[None]]], Any]:
        """Handle many events of different aggregates in one set-based step; called with one when a batch failed.

        What it publishes carries the trace of the event that caused it (`council_common.events.causes`).
        """

        def register(handler: Callable[[AsyncSession, Sequence[Received[E]]], Awaitable[None]]) -> Any:
            async def at_once(session: AsyncSession, received: Sequence[Received[Any]]) -> None:
                with caused_by(received):
                    await handler(session, received)

            self._add(event_type, at_once)
            return handler

        return register

    def before(self, *event_types: type[Event]) -> Callable[[ManyHandler], ManyHandler]:
        """Prepare a batch, once, before any of its events is handled: lock rows of all of them in one order, say.

        Only events of these types are passed, those of other rooms never; where a batch has none it is not called.
        """

        def register(prepare: ManyHandler) -> ManyHandler:
            self._before.append((frozenset(event_type.type for event_type in event_types), prepare))
            return prepare

        return register

    def _add(self, event_type: type[Event], handler: ManyHandler) -> None:
        if event_type.type in self._by_type:
            raise ValueError(f"{event_type.__name__} has a handler already")
        self._by_type[event_type.type] = (event_type, handler)

    @property
    def types(self) -> dict[str, type[Event]]:
        """The subscribed event classes by CloudEvents type."""
        return {name: event_type for name, (event_type, _) in self._by_type.items()}

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics these events travel on."""
        return tuple(sorted({event_type.topic for event_type, _ in self._by_type.values()}))

    async def handle(self, session: AsyncSession, received: Sequence[Received[Any]]) -> None:
        """Call the handlers, keeping each aggregate's order.

        What prepares a batch comes first. Events are taken in rounds (first of each aggregate, second of each …),
        and within a round by type, so that set-based handlers see long runs.
        """
        with _trace_of_batch(received):
            for types, prepare in self._before:
                if wanted := [one for one in received if one.event.type in types]:
                    await prepare(session, wanted)
            for by_type in _rounds(received):
                for event_type, group in by_type.items():
                    await self._by_type[event_type][1](session, group)


def _own_trace(received: Received[Any]) -> AbstractContextManager[trace.Span]:
    parent = {"traceparent": received.traceparent} if received.traceparent else None
    return span(f"handle {received.event.type}", parent=parent, kind=trace.SpanKind.CONSUMER)


def _trace_of_batch(received: Sequence[Received[Any]]) -> AbstractContextManager[trace.Span]:
    """The trace its events share; of several a trace of its own, which links to them."""
    traceparents = list(dict.fromkeys(one.traceparent for one in received if one.traceparent))
    if len(traceparents) == 1:
        return span("handle events", parent={"traceparent": traceparents[0]}, kind=trace.SpanKind.CONSUMER)
    return span("handle events", kind=trace.SpanKind.CONSUMER, links=traceparents)


def _rounds(received: Sequence[Received[Any]]) -> list[dict[str, list[Received[Any]]]]:
    seen: dict[UUID, int] = defaultdict(int)
    rounds: list[dict[str, list[Received[Any]]]] = []
    for one in received:
        number = seen[one.event.key]
        seen[one.event.key] += 1
        if number == len(rounds):
            rounds.append(defaultdict(list))
        rounds[number][one.event.type].append(one)
    return rounds
