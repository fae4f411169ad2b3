"""Relay to Kafka against a bare aiokafka producer: same events, same broker."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from council_common.contracts.invoices import InvoicePaidV1
from council_common.events.outbox import OUTBOX_COLUMNS, outbox_rows
from council_common.events.relay import Relay, make_producer
from council_common.ids import new_id

from benchmarks.measure import Measured, alternating_figures
from benchmarks.parts import Parts

EVENTS = 20_000


async def measure(parts: Parts) -> Measured:
    """Move 20,000 events out of the outbox; the limit sends the same bytes with keys and waits for all of them."""
    example = InvoicePaidV1.example()
    rows = outbox_rows(example.model_copy(update={"invoice_id": new_id()}) for _ in range(EVENTS))
    url = parts.database("rebate")
    connection = await asyncpg.connect(url)
    bare = AIOKafkaProducer(
        bootstrap_servers=parts.bootstrap, acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=256 * 1024
    )
    producer = make_producer(parts.bootstrap)
    await bare.start()
    await producer.start()
    relay = Relay(database_url=url, bootstrap_servers=parts.bootstrap, service="bench")

    async def limit() -> float:
        began = time.perf_counter()
        sent = [await bare.send(row.topic, row.payload, key=str(row.aggregate_id).encode()) for row in rows]
        await asyncio.gather(*sent)
        return EVENTS / (time.perf_counter() - began)

    async def ours() -> float:
        await connection.copy_records_to_table("outbox", records=rows, columns=OUTBOX_COLUMNS)
        began = time.perf_counter()
        return await drain(relay, connection, producer) / (time.perf_counter() - began)

    ours_rate, bound_rate = await alternating_figures(ours, limit)
    await bare.stop()
    await producer.stop()
    await connection.close()
    return Measured("relay to Kafka, events", "bare aiokafka producer", ours_rate, bound_rate, 0.60, 0.85)


async def drain(relay: Relay, connection: asyncpg.Connection[Any], producer: AIOKafkaProducer) -> int:
    """Send until the outbox is empty."""
    count = 0
    while sent := await relay.send_batch(connection, producer):
        count += sent
    return count
