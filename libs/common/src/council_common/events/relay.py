"""The relay: sends what the outbox holds, in order for each aggregate, at least once.

One relay at a time works per service, under a PostgreSQL advisory lock; the others stand by. It is woken by
NOTIFY and looks by itself every second. Two relays side by side sent one aggregate's events as 3, 4, 1, 2.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from council_common.database.sessions import driver_url
from council_common.database.transient_faults import DRIVER_FAULTS
from council_common.events.envelope import CONTENT_TYPE
from council_common.events.security import IN_CLEAR, KafkaSecurity
from council_common.ids import lock_key
from council_common.observability.logs import get_logger
from council_common.observability.metrics import EVENTS_SENT, OUTBOX_WAITING
from council_common.pause import pause

log = get_logger()

BATCH = 2000
LOOK_EVERY = 1.0
COUNT_EVERY = 5.0
BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0)

_TAKE = "SELECT position, id, topic, aggregate_id, type, payload FROM outbox ORDER BY position LIMIT $1"
_COUNT = "SELECT count(*) FROM (SELECT FROM outbox LIMIT 20000) AS waiting"  # 20,000 is "20,000 or more"
# By exact positions: a range would lose the event of a transaction that took a lower number and committed later.
_REMOVE = """
WITH gone AS (DELETE FROM outbox WHERE position = ANY($1::bigint[]) RETURNING topic, type)
INSERT INTO events_sent (topic, type, count) SELECT topic, type, count(*) FROM gone GROUP BY topic, type
ON CONFLICT (topic, type) DO UPDATE SET count = events_sent.count + excluded.count
"""


def make_producer(bootstrap_servers: str, security: KafkaSecurity = IN_CLEAR) -> AIOKafkaProducer:
    """A producer that loses nothing: every replica acknowledges, and a retry never doubles a batch."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=512 * 1024,
        max_request_size=4 * 1024 * 1024,
        request_timeout_ms=20_000,
        retry_backoff_ms=100,
        **security.options,
    )


class Relay:
    """Moves one service's events from its outbox to Kafka until stopped."""

    def __init__(
        self,
        *,
        database_url: str,
        bootstrap_servers: str,
        service: str,
        batch: int = BATCH,
        look_every: float = LOOK_EVERY,
        security: KafkaSecurity = IN_CLEAR,
        is_away: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database_url = driver_url(database_url)
        self._bootstrap_servers = bootstrap_servers
        self._security = security
        self._is_away = is_away
        self._lock = lock_key(f"{service}-relay")
        self._batch = batch
        self._look_every = look_every
        self._wake = asyncio.Event()
        self._partitioner = DefaultPartitioner()
        self._failures = 0
        self._count_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; any fault backs off and begins again from what the outbox holds."""
        while not stop.is_set():
            try:
                await self._work(stop)
            except (KafkaError, *DRIVER_FAULTS) as fault:
                wait = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
                self._failures += 1
                if not (isinstance(fault, KafkaError) and self._is_away()):
                    log.warning("relay_waits", cause=type(fault).__name__, seconds=wait)
                await pause(stop, wait)

    async def _work(self, stop: asyncio.Event) -> None:
        connection = await asyncpg.connect(self._database_url, timeout=10, command_timeout=60)
        producer = make_producer(self._bootstrap_servers, self._security)
        try:
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", self._lock):
                await pause(stop, self._look_every)
                if stop.is_set():
                    return
            await connection.add_listener("outbox", lambda *_: self._wake.set())
            await self._count_waiting(connection)
            await producer.start()
            while not stop.is_set():
                self._wake.clear()
                await self._count_waiting(connection)
                if await self.send_batch(connection, producer) < self._batch:
                    await pause(stop, self._look_every, woken=self._wake)
        finally:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(producer.stop(), timeout=5)
            connection.terminate()

    async def _count_waiting(self, connection: asyncpg.Connection[Any]) -> None:
        """Measure how many events wait, before they are sent: while the broker is away this is what shows it."""
        now = time.monotonic()
        if now >= self._count_at:
            self._count_at = now + COUNT_EVERY
            OUTBOX_WAITING.set(await connection.fetchval(_COUNT))

    async def send_batch(self, connection: asyncpg.Connection[Any], producer: AIOKafkaProducer) -> int:
        """Send the oldest events and remove them once all are acknowledged; returns how many."""
        rows = await connection.fetch(_TAKE, self._batch)
        if rows:
            await self._send(producer, rows)
            await connection.execute(_REMOVE, [row["position"] for row in rows])
            for topic, count in Counter(row["topic"] for row in rows).items():
                EVENTS_SENT.labels(topic).inc(count)
            self._failures = 0
        if len(rows) < self._batch:
            OUTBOX_WAITING.set(0)
        return len(rows)

    async def _send(self, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> None:
        by_partition: dict[tuple[str, int], list[asyncpg.Record]] = defaultdict(list)
        partitions = {topic: sorted(await producer.partitions_for(topic)) for topic in {row["topic"] for row in rows}}
        for row in rows:
            choices = partitions[row["topic"]]
            partition = self._partitioner(str(row["aggregate_id"]).encode(), choices, choices)
            by_partition[row["topic"], partition].append(row)
        try:
            async with asyncio.TaskGroup() as group:
                for (topic, partition), its_rows in by_partition.items():
                    group.create_task(_send_to_partition(producer, topic, partition, its_rows))
        except ExceptionGroup as faults:
            raise faults.exceptions[0] from faults  # one partition's fault is the batch's: all is sent again


async def _send_to_partition(
    producer: AIOKafkaProducer, topic: str, partition: int, rows: Sequence[asyncpg.Record]
) -> None:
    """Send rows to one partition, batch after batch.

    The next batch leaves only when the one before it is acknowledged: were the first to fail and the second to
    arrive, an aggregate's events would change places.
    """
    content_type = b"application/json" if topic.endswith(".dead") else CONTENT_TYPE
    batch = producer.create_batch()
    for row in rows:
        message = {
            "key": str(row["aggregate_id"]).encode(),
            "value": row["payload"],
            "timestamp": None,
            "headers": [("content-type", content_type), ("ce_type", row["type"].encode())],
        }
        if batch.append(**message) is None:
            await (await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(**message)  # the first is always taken, whatever its size (outbox.MAX_EVENT_BYTES)
    await (await producer.send_batch(batch, topic, partition=partition))
