"""One trace follows each fact through a batch of many."""

import asyncio
import io
import json
from collections.abc import Sequence
from contextlib import redirect_stderr
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer
from council_common.database.sessions import driver
from council_common.events import consumer
from council_common.events.contract import Event
from council_common.events.dead_letters import replay_dead_letters
from council_common.events.envelope import Envelope, WrittenEvent, seal, unseal
from council_common.events.handlers import Handlers, Received
from council_common.events.outbox import OUTBOX_COLUMNS, outbox_rows
from council_common.ids import new_id
from council_common.observability import traces
from council_common.observability.logs import configure_logs, get_logger
from council_common.observability.traces import configure_traces, span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy.ext.asyncio import AsyncSession
from things_service import NOW, Things, at_work, publish, thing


@pytest.fixture(autouse=True)
def _traced() -> None:
    configure_traces("things-service", endpoint=None)


def _trace(number: int) -> str:
    return f"{number:032x}"


async def _count_under_traces(things: Things, *numbers: int) -> None:
    """One command for each trace, about a thing of the same number; all are sent before a consumer runs."""
    for number in numbers:
        with span("POST", parent={"traceparent": f"00-{_trace(number)}-00000000000000aa-01"}):
            await things.count(0, of=number)
    async with at_work(things.relay()):
        await things.until("SELECT count(*) FROM outbox", 0)


def _noted_event(things: Things) -> type[Event]:
    class ThingNotedV1(Event, topic=things.topic, producer="things-service", key="note_id"):
        note_id: UUID
        thing_id: UUID

    return ThingNotedV1


def _noted(kind: type[Event], about: UUID) -> Event:
    return kind.model_validate({"note_id": about, "thing_id": about, "version": 1, "occurred_at": NOW, "by": "test"})


async def _published(things: Things, kind: type[Event], count: int) -> dict[UUID, str | None]:
    """The trace of each effect's event, by what it is about, as the broker has them."""
    reader = AIOKafkaConsumer(
        things.topic, bootstrap_servers=things.bootstrap, auto_offset_reset="earliest", group_id=None
    )
    await reader.start()
    found: list[Envelope[Any]] = []
    try:
        async with asyncio.timeout(30):
            while len(found) < count:
                for records in (await reader.getmany(timeout_ms=200)).values():
                    ours = [record for record in records if dict(record.headers)["ce_type"] == kind.type.encode()]
                    found += [unseal(record.value, kind) for record in ours if record.value is not None]
    finally:
        await reader.stop()
    return {one.data.thing_id: one.traceparent.split("-")[1] if one.traceparent else None for one in found}


async def _handle(things: Things, handlers: Handlers, *, until: int, kind: type[Event]) -> dict[UUID, str | None]:
    async with at_work(things.consumer(handlers), things.relay()):
        return await _published(things, kind, until)


async def test_what_a_set_based_handler_publishes_carries_the_trace_of_each_event(things: Things) -> None:
    noted, batches = _noted_event(things), []
    handlers = Handlers()

    @handlers.on_many(things.event)
    async def note(session: AsyncSession, received: Sequence[Received[Any]]) -> None:
        batches.append(len(received))
        await publish(session, *(_noted(noted, one.event.thing_id) for one in received))

    await _count_under_traces(things, 1, 2, 3)
    published = await _handle(things, handlers, until=3, kind=noted)
    assert batches == [3]
    assert published == {thing(number): _trace(number) for number in (1, 2, 3)}


async def test_events_written_without_their_model_name_their_cause(things: Things) -> None:
    noted, batches = _noted_event(things), []
    handlers = Handlers()

    @handlers.on_many(things.event)
    async def note(session: AsyncSession, received: Sequence[Received[Any]]) -> None:
        batches.append(len(received))
        events = [_noted(noted, one.event.thing_id) for one in received]
        written = [WrittenEvent(noted, new_id(), NOW, event.model_dump_json(), caused_by=event.key) for event in events]
        connection = await driver(session)
        await connection.copy_records_to_table("outbox", records=outbox_rows(written), columns=OUTBOX_COLUMNS)

    await _count_under_traces(things, 1, 2)
    assert await _handle(things, handlers, until=2, kind=noted) == {thing(1): _trace(1), thing(2): _trace(2)}
    assert batches == [2]


async def test_one_by_one_each_event_is_handled_and_logged_under_its_own_trace(things: Things) -> None:
    noted, out = _noted_event(things), io.StringIO()
    handlers = Handlers()

    @handlers.on(things.event)
    async def note(session: AsyncSession, received: Received[Any]) -> None:
        get_logger().info("thing_noted", thing_id=str(received.event.thing_id))
        await publish(session, _noted(noted, received.event.thing_id))

    await _count_under_traces(things, 1, 2)
    with redirect_stderr(out):
        configure_logs("things-service")
        published = await _handle(things, handlers, until=2, kind=noted)
    assert published == {thing(1): _trace(1), thing(2): _trace(2)}
    lines = [line for line in map(json.loads, out.getvalue().splitlines()) if line["event"] == "thing_noted"]
    assert {line["thing_id"]: line["trace_id"] for line in lines} == {str(thing(n)): _trace(n) for n in (1, 2)}
    assert all(UUID(line["event_id"]) for line in lines)


async def test_a_dead_letter_is_logged_and_replayed_under_its_trace(
    things: Things, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted, broken, out = _noted_event(things), True, io.StringIO()
    handlers = Handlers()

    @handlers.on_many(things.event)
    async def note(session: AsyncSession, received: Sequence[Received[Any]]) -> None:
        if broken:
            raise ValueError("not yet")
        await publish(session, *(_noted(noted, one.event.thing_id) for one in received))

    await _count_under_traces(things, 7)
    with redirect_stderr(out):
        configure_logs("things-service")
        # The module's own logger keeps the stream that the first test of this process gave it.
        monkeypatch.setattr(consumer, "log", get_logger())
        async with at_work(things.consumer(handlers)):
            await things.until("SELECT count(*) FROM dead_letter", 1)
    [line] = [line for line in map(json.loads, out.getvalue().splitlines()) if "dead_letter" in line["event"]]
    assert line["trace_id"] == _trace(7)
    async with at_work(things.relay()):
        broken = False
        assert await replay_dead_letters(things.sessions, handlers, clock=lambda: NOW) == (1, [])
        assert await _published(things, noted, 1) == {thing(7): _trace(7)}


async def test_the_span_of_a_batch_links_to_the_spans_of_its_events(
    things: Things, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(traces, "_tracer", provider.get_tracer("test"))
    await _count_under_traces(things, 1, 2)
    async with at_work(things.consumer()):
        await things.until_effects(2)
    [batch] = [one for one in exporter.get_finished_spans() if one.name == "handle events"]
    assert batch.parent is None
    sent = {one.context.span_id for one in exporter.get_finished_spans() if one.name == "POST" and one.context}
    assert {link.context.span_id for link in batch.links} == sent
    assert len(sent) == 2


async def test_a_batch_of_one_trace_belongs_to_it(things: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(traces, "_tracer", provider.get_tracer("test"))
    with span("POST"):
        await things.publish_many(20, things=20)
    async with at_work(things.relay(), things.consumer()):
        await things.until_effects(20)
    posted, *batches = exporter.get_finished_spans()
    assert batches
    assert {batch.parent.span_id for batch in batches if batch.parent} == {posted.context.span_id}


def test_a_traceparent_that_is_none_is_ignored(things: Things) -> None:
    """It would be written into what we publish."""
    event = things.an_event(0, of=1)
    for forged in ('x","id":"', "00-" + "A" * 32 + "-" + "b" * 16 + "-01", "", "00"):
        sealed = seal(event, event_id=new_id(), traceparent="TRACE")
        payload = sealed.replace(b"TRACE", json.dumps(forged)[1:-1].encode())
        assert unseal(payload, things.event).traceparent is None
