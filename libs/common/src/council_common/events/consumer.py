"""The consumer: takes events in batches, each with its effect exactly once.

One transaction for a batch (marks, effects and new events), the offset after it. The next batch is read while
PostgreSQL works on this one. When a batch fails it goes event by event. A transient fault backs off and never skips;
an event that cannot be read, or fails five times, becomes a dead letter.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.clock import Clock, utc_now
from council_common.database.sessions import Sessions
from council_common.database.transient_faults import is_transient
from council_common.events.broker_records import ReadRecord, Record, read_record
from council_common.events.dead_letters import WAITS_BEHIND, keep_dead_letter, waiting_keys
from council_common.events.envelope import Envelope
from council_common.events.handlers import Handlers, Received
from council_common.events.inbox import handled_before, mark_handled, mark_if_none_waits
from council_common.events.security import IN_CLEAR, KafkaSecurity
from council_common.observability.logs import get_logger
from council_common.observability.metrics import CONSUMER_RETRIES, EVENTS_HANDLED, EVENTS_REPEATED
from council_common.observability.safe_text import safe_text
from council_common.observability.traces import span
from council_common.pause import pause

log = get_logger()

BATCH = 2000
ATTEMPTS = 5
BACK_OFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
READ_AT_ONCE = 10
"""Records read before the batch at work gets its turn again, some 0.2 ms: so the reading lasts for all its waits."""


class Source(Protocol):
    """Where records come from and where offsets are committed: aiokafka's consumer, as far as it is used."""

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Record]]:
        """The next records, at most so many; none where none came in that time."""

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Store where each partition goes on."""


class _Batch(NamedTuple):
    """Records as they were fetched and read; `offsets` is where each partition goes on after them."""

    records: list[ReadRecord]
    offsets: dict[TopicPartition, int]


class Consumer:
    """Handles the events of one service's subscriptions until stopped."""

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
        is_away: Callable[[], bool] = lambda: False,
    ) -> None:
        self._service = service
        self._bootstrap_servers = bootstrap_servers
        self._security = security
        self._is_away = is_away
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
            await self.consume(consumer, stop)
        finally:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(consumer.stop(), timeout=5)

    async def consume(self, source: Source, stop: asyncio.Event) -> None:
        """Take batch after batch from `source` until `stop` is set; the next is read while this one is written.

        What was read ahead and not begun when it stops was never committed: it comes again.
        """
        ahead = asyncio.create_task(self._read(source))
        try:
            while not stop.is_set():
                batch = await ahead
                ahead = asyncio.create_task(self._read(source))
                if batch.offsets and await self._process(batch.records, stop):
                    await self._commit(source, batch.offsets)
                    self._failures = 0
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _read(self, source: Source) -> _Batch:
        fetched = await source.getmany(timeout_ms=500, max_records=self._batch)
        offsets = {partition: records[-1].offset + 1 for partition, records in fetched.items() if records}
        subscribed = []
        for number, record in enumerate(chain.from_iterable(fetched.values()), 1):
            if (read := read_record(record, self._types)) is not None:
                subscribed.append(read)
            if number % READ_AT_ONCE == 0:
                await asyncio.sleep(0)
        return _Batch(subscribed, offsets)

    async def _commit(self, source: Source, offsets: dict[TopicPartition, int]) -> None:
        try:
            await source.commit(offsets)
        except KafkaError as fault:
            # The group rebalanced under us: the records come again, and the inbox knows them.
            log.info("offsets_not_committed", cause=type(fault).__name__)

    async def _process(self, records: Sequence[ReadRecord], stop: asyncio.Event) -> bool:
        """Give every record its effect once, or make it a dead letter; False when stopped before that was done."""
        failures = 0
        while records:
            try:
                await self._handle(records)
                return True
            except Exception as fault:
                if not is_transient(fault):
                    return await self._one_by_one(records, stop)
                failures = await self._back_off(stop, failures, fault)
                if stop.is_set():
                    return False
        return True

    async def _one_by_one(self, records: Sequence[ReadRecord], stop: asyncio.Event) -> bool:
        for record in records:
            with span(f"handle {record.type} by itself", parent=record.trace_headers):
                if not await self._handle_or_give_up(record, stop):
                    return False
        return True

    async def _handle_or_give_up(self, record: ReadRecord, stop: asyncio.Event) -> bool:
        """Handle one event, or make it a dead letter after five attempts; False when stopped before either."""
        attempts = failures = 0
        reason = ""
        while True:
            try:
                if attempts < ATTEMPTS:
                    await self._handle([record])
                else:
                    await self._give_up(record, reason, attempts)
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
                        key, offset = record.key[1], record.record.offset
                        log.exception("event_became_dead_letter", type=record.type, key=key, offset=offset)
                    else:
                        await pause(stop, BACK_OFF[attempts - 1])
                if stop.is_set():
                    return False

    async def _handle(self, records: Sequence[ReadRecord]) -> None:
        """One transaction: marks, effects, dead letters."""
        now = self._clock()
        async with self._sessions.begin() as session:
            good = [_received(record.envelope, now) for record in records if record.envelope is not None]
            fresh = None
            if len(good) == len(records):
                fresh = await mark_if_none_waits(session, good, {record.key for record in records})
            if fresh is None:
                good = await _without_dead_letters(session, records, now)
                fresh = await mark_handled(session, good) if good else []
            if fresh:
                await self._handlers.handle(session, fresh)
        for event_type, count in Counter(received.event.type for received in fresh).items():
            EVENTS_HANDLED.labels(event_type).inc(count)
        EVENTS_REPEATED.inc(len(good) - len(fresh))

    async def _give_up(self, record: ReadRecord, reason: str, attempts: int) -> None:
        async with self._sessions.begin() as session:
            await keep_dead_letter(session, record.dead_letter(reason, attempts), at=self._clock())

    async def _back_off(self, stop: asyncio.Event, failures: int, fault: BaseException) -> int:
        wait = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
        CONSUMER_RETRIES.labels(type(fault).__name__).inc()
        if not (isinstance(fault, KafkaError) and self._is_away()):
            log.warning("consumer_waits", cause=type(fault).__name__, seconds=wait)
        await pause(stop, wait)
        return failures + 1


async def _without_dead_letters(
    session: AsyncSession, records: Sequence[ReadRecord], now: datetime
) -> list[Received[Any]]:
    """Keep as dead letters what cannot be read and what comes behind one that waits; returns what can be handled."""
    blocked = await waiting_keys(session, {record.key for record in records})
    behind = [record.envelope.id for record in records if record.envelope is not None and record.key in blocked]
    done_before = await handled_before(session, behind) if behind else set()
    good: list[Received[Any]] = []
    for record in records:
        envelope = record.envelope
        if envelope is None:
            blocked.add(record.key)
            await keep_dead_letter(session, record.dead_letter(record.reason, 1), at=now)
        elif envelope.id in done_before:
            continue
        elif record.key in blocked:
            await keep_dead_letter(session, record.dead_letter(WAITS_BEHIND, 0), at=now)
        else:
            good.append(_received(envelope, now))
    return good


def _received(envelope: Envelope[Any], now: datetime) -> Received[Any]:
    return Received(envelope.data, envelope.id, now, envelope.traceparent)
