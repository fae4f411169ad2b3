"""The consumer: takes events in batches, each with its effect exactly once.

One transaction for a batch (marks, effects and new events), the offset after it. The next batch is read while
PostgreSQL works on this one. When a batch fails it goes event by event. A transient fault backs off and never skips;
an event that cannot be read, or fails five times, is put aside.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from council_common.clock import Clock, utc_now
from council_common.database.sessions import Sessions
from council_common.database.transient_faults import is_transient
from council_common.events.broker_records import Record, Taken, take
from council_common.events.dead_letters import WAITS_BEHIND, put_aside, waiting_keys
from council_common.events.handlers import Handlers, Received
from council_common.events.inbox import handled_before, mark_handled
from council_common.events.security import IN_CLEAR, KafkaSecurity
from council_common.observability.logs import get_logger
from council_common.observability.metrics import CONSUMER_RETRIES, EVENTS_HANDLED, EVENTS_REPEATED
from council_common.observability.safe_text import safe_text
from council_common.pause import pause

log = get_logger()

BATCH = 2000
ATTEMPTS = 5
BACK_OFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
READ_AT_ONCE = 10
"""Records read before the batch at work gets its turn again, some 0.2 ms: so the reading lasts for all its waits."""


class Source(Protocol):
    """Where records come from, and who is told how far they are done: aiokafka's consumer, as far as it is used."""

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Record]]:
        """The next records, at most so many; none where none came in that time."""

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Say up to where the records of each partition are done."""


class _Batch(NamedTuple):
    """Records as they were fetched and read; `offsets` is where each partition goes on after them."""

    taken: list[Taken]
    offsets: dict[TopicPartition, int]


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
                if batch.offsets and await self._process(batch.taken, stop):
                    await self._commit(source, batch.offsets)
                    self._failures = 0
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _read(self, source: Source) -> _Batch:
        fetched = await source.getmany(timeout_ms=500, max_records=self._batch)
        offsets = {partition: records[-1].offset + 1 for partition, records in fetched.items() if records}
        taken = []
        for number, record in enumerate(chain.from_iterable(fetched.values()), 1):
            if (ours := take(record, self._types)) is not None:
                taken.append(ours)
            if number % READ_AT_ONCE == 0:
                await asyncio.sleep(0)
        return _Batch(taken, offsets)

    async def _commit(self, source: Source, offsets: dict[TopicPartition, int]) -> None:
        try:
            await source.commit(offsets)
        except KafkaError as fault:
            # The group rebalanced under us: the records come again, and the inbox knows them.
            log.info("offsets_not_committed", cause=type(fault).__name__)

    async def _process(self, taken: Sequence[Taken], stop: asyncio.Event) -> bool:
        """Give every record its effect once, or put it aside; False when stopped before that was done."""
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

    async def _one_by_one(self, taken: Sequence[Taken], stop: asyncio.Event) -> bool:
        for each in taken:
            if not await self._handle_or_put_aside(each, stop):
                return False
        return True

    async def _handle_or_put_aside(self, each: Taken, stop: asyncio.Event) -> bool:
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

    async def _handle(self, taken: Sequence[Taken]) -> None:
        """One transaction: marks, effects, dead letters."""
        now = self._clock()
        async with self._sessions.begin() as session:
            blocked = await waiting_keys(session, {each.key for each in taken})
            behind = [each.envelope.id for each in taken if each.envelope is not None and each.key in blocked]
            done_before = await handled_before(session, behind) if behind else set()
            good: list[Received[Any]] = []
            for each in taken:
                envelope = each.envelope
                if envelope is None:
                    blocked.add(each.key)
                    await put_aside(session, each.dead(each.reason, 1), at=now)
                elif envelope.id in done_before:
                    continue
                elif each.key in blocked:
                    await put_aside(session, each.dead(WAITS_BEHIND, 0), at=now)
                else:
                    good.append(Received(envelope.data, envelope.id, now, envelope.traceparent))
            fresh = await mark_handled(session, good) if good else []
            if fresh:
                await self._handlers.handle(session, fresh)
        for event_type, count in Counter(received.event.type for received in fresh).items():
            EVENTS_HANDLED.labels(event_type).inc(count)
        EVENTS_REPEATED.inc(len(good) - len(fresh))

    async def _put_aside(self, each: Taken, reason: str, attempts: int) -> None:
        async with self._sessions.begin() as session:
            await put_aside(session, each.dead(reason, attempts), at=self._clock())

    async def _back_off(self, stop: asyncio.Event, failures: int, fault: BaseException) -> int:
        wait = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
        CONSUMER_RETRIES.labels(type(fault).__name__).inc()
        log.warning("consumer_waits", cause=type(fault).__name__, seconds=wait)
        await pause(stop, wait)
        return failures + 1
