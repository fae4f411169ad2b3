"""The consumer: takes events in batches, each with its effect exactly once.

One transaction for a batch (marks, effects and new events), the offset after it. When a batch fails it goes
event by event. A transient fault backs off and never skips; an event that cannot be read, or fails five times,
is put aside.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from opentelemetry import trace
from pydantic import ValidationError

from council_common.clock import Clock, utc_now
from council_common.database.faults import is_transient
from council_common.database.sessions import Sessions
from council_common.events.dead_letters import WAITS_BEHIND, DeadRecord, put_aside, waiting_keys
from council_common.events.envelope import NotTheProducers, read_told, type_of
from council_common.events.handlers import Handlers, Received
from council_common.events.inbox import handled_before, mark_handled
from council_common.events.security import IN_CLEAR, KafkaSecurity
from council_common.observability.logs import get_logger
from council_common.observability.metrics import CONSUMER_RETRIES, EVENTS_HANDLED, EVENTS_REPEATED
from council_common.observability.safe_text import safe_text
from council_common.observability.traces import span
from council_common.stopping import pause

log = get_logger()

BATCH = 2000
ATTEMPTS = 5
BACK_OFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class _Taken(NamedTuple):
    """A record we subscribe to; `received` is None where it cannot be read, and `reason` says why."""

    record: ConsumerRecord[bytes | None, bytes | None]
    type: str | None
    received: Received[Any] | None
    reason: str = ""
    traceparent: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.record.topic, _words(self.record.key or b"")

    def dead(self, reason: str, attempts: int) -> DeadRecord:
        topic, key = self.key
        payload = self.record.value or b""
        return DeadRecord(topic, self.record.partition, self.record.offset, key, self.type, payload, reason, attempts)


class Consumer:
    """Handles the events of one service's subscriptions until told to stop."""

    def __init__(
        self,
        *,
        service: str,
        bootstrap_servers: str,
        sessions: Sessions,
        handlers: Handlers,
        batch: int = BATCH,
        clock: Clock = utc_now,
        security: KafkaSecurity = IN_CLEAR,
    ) -> None:
        self._service = service
        self._bootstrap_servers = bootstrap_servers
        self._security = security
        self._sessions = sessions
        self._handlers = handlers
        self._batch = batch
        self._clock = clock
        self._types = handlers.types
        self._failures = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a broker that is away is waited for."""
        if not self._handlers.topics:
            await stop.wait()
            return
        while not stop.is_set():
            try:
                await self._work(stop)
            except Exception as fault:
                if not isinstance(fault, KafkaError) and not is_transient(fault):
                    raise
                self._failures = await self._back_off(stop, self._failures, fault)

    async def _work(self, stop: asyncio.Event) -> None:
        consumer = AIOKafkaConsumer(
            *self._handlers.topics,
            bootstrap_servers=self._bootstrap_servers,
            group_id=self._service,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=self._batch,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            fetch_max_wait_ms=500,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            max_poll_interval_ms=600_000,
            **self._security.options,
        )
        await consumer.start()
        try:
            while not stop.is_set():
                fetched = await consumer.getmany(timeout_ms=500, max_records=self._batch)
                records = [record for partition in fetched.values() for record in partition]
                if records and await self.process(records, stop):
                    await self._commit(consumer, fetched)
                    self._failures = 0
        finally:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(consumer.stop(), timeout=5)

    async def _commit(self, consumer: AIOKafkaConsumer, fetched: dict[TopicPartition, list[Any]]) -> None:
        try:
            await consumer.commit({partition: records[-1].offset + 1 for partition, records in fetched.items()})
        except KafkaError as fault:
            # The group rebalanced under us: the records come again, and the inbox knows them.
            log.info("offsets_not_committed", cause=type(fault).__name__)

    async def process(self, records: Sequence[ConsumerRecord[bytes | None, bytes | None]], stop: asyncio.Event) -> bool:
        """Give every record its effect once, or put it aside; False when stopped before that was done."""
        taken = [each for each in map(self._take, records) if each is not None]
        failures = 0
        while taken:
            try:
                await self._handle(taken)
                return True
            except Exception as fault:
                if not is_transient(fault):
                    return await self._one_by_one(taken, stop)
                failures = await self._back_off(stop, failures, fault)
                if stop.is_set():
                    return False
        return True

    async def _one_by_one(self, taken: Sequence[_Taken], stop: asyncio.Event) -> bool:
        for each in taken:
            if not await self._handle_or_put_aside(each, stop):
                return False
        return True

    async def _handle_or_put_aside(self, each: _Taken, stop: asyncio.Event) -> bool:
        """Handle one event, or put it aside after five attempts; False when stopped before either."""
        attempts = failures = 0
        reason = ""
        while True:
            try:
                if attempts < ATTEMPTS:
                    await self._handle([each])
                else:
                    await self._put_aside(each, reason, attempts)
                return True
            except Exception as fault:
                if is_transient(fault):
                    failures = await self._back_off(stop, failures, fault)
                elif attempts == ATTEMPTS:
                    raise
                else:
                    attempts += 1
                    reason = safe_text(fault).replace("\0", "")
                    CONSUMER_RETRIES.labels(type(fault).__name__).inc()
                    if attempts == ATTEMPTS:
                        log.exception("event_put_aside", type=each.type, key=each.key[1], offset=each.record.offset)
                    else:
                        await pause(stop, BACK_OFF[attempts - 1])
                if stop.is_set():
                    return False

    async def _handle(self, taken: Sequence[_Taken]) -> None:
        """One transaction: marks, effects, dead letters."""
        now = self._clock()
        async with self._sessions.begin() as session:
            blocked = await waiting_keys(session, {each.key for each in taken})
            behind = [each.received.id for each in taken if each.received is not None and each.key in blocked]
            done_before = await handled_before(session, behind) if behind else set()
            good: list[Received[Any]] = []
            for each in taken:
                if each.received is None:
                    blocked.add(each.key)
                    await put_aside(session, each.dead(each.reason, 1), at=now)
                elif each.received.id in done_before:
                    continue
                elif each.key in blocked:
                    await put_aside(session, each.dead(WAITS_BEHIND, 0), at=now)
                else:
                    good.append(each.received)
            fresh_ids = await mark_handled(session, good) if good else set()
            # The same event may come twice in one batch: it is handled once, as it came first.
            first: dict[UUID, Received[Any]] = {}
            for received in good:
                first.setdefault(received.id, received)
            fresh = [received for event_id, received in first.items() if event_id in fresh_ids]
            parent = {"traceparent": taken[0].traceparent} if taken[0].traceparent else None
            with span(f"handle {taken[0].type}", parent=parent, kind=trace.SpanKind.CONSUMER):
                await self._handlers.handle(session, fresh)
        for event_type, count in Counter(received.event.type for received in fresh).items():
            EVENTS_HANDLED.labels(event_type).inc(count)
        EVENTS_REPEATED.inc(len(good) - len(fresh))

    async def _put_aside(self, each: _Taken, reason: str, attempts: int) -> None:
        async with self._sessions.begin() as session:
            await put_aside(session, each.dead(reason, attempts), at=self._clock())

    def _take(self, record: ConsumerRecord[bytes | None, bytes | None]) -> _Taken | None:
        """Read a record; None when its type is not ours."""
        named = dict(record.headers).get("ce_type")
        event_type = _words(named) if named else None
        try:
            event_type = event_type or type_of(record.value or b"")
            if event_type not in self._types:
                return None
            return self._read(record, event_type)
        except ValidationError as wrong:
            return _Taken(record, event_type, None, reason=f"cannot be read: {safe_text(wrong)}")
        except NotTheProducers as wrong:
            return _Taken(record, event_type, None, reason=str(wrong))

    def _read(self, record: ConsumerRecord[bytes | None, bytes | None], event_type: str) -> _Taken:
        key = _words(record.key or b"")
        envelope = read_told(record.value or b"", self._types[event_type], topic=record.topic, key=key)
        received = Received(envelope.data, envelope.id, self._clock())
        return _Taken(record, event_type, received, traceparent=envelope.traceparent)

    async def _back_off(self, stop: asyncio.Event, failures: int, fault: BaseException) -> int:
        wait = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
        CONSUMER_RETRIES.labels(type(fault).__name__).inc()
        log.warning("consumer_waits", cause=type(fault).__name__, seconds=wait)
        await pause(stop, wait)
        return failures + 1


def _words(raw: bytes) -> str:
    """Bytes of a header or a key as text that PostgreSQL keeps: what is no text is written as escapes."""
    return raw.decode(errors="backslashreplace").replace("\0", "\\x00")
