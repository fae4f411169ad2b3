"""Earning rebates by the consumer (inbox, rebate, history, event) against the one statement that does the same.

Two workers, as a council runs them: each is a process that has half of the partitions.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import TopicPartition
from council_common.contracts.fields import VatShare
from council_common.contracts.invoices import InvoicePaidV1
from council_common.contracts.rebates import RebateEarnedV1
from council_common.database.sessions import make_engine, make_sessions
from council_common.events.broker_records import Record
from council_common.events.consumer import BATCH, Consumer
from council_common.events.outbox import outbox_rows
from council_common.ids import new_id
from council_common.runtime.memory import collect_cycles_seldom
from council_common.testing.broker_records import record_of
from rebate_service.main import SERVICE

from benchmarks.measure import Measured, alternating_figures
from benchmarks.parts import Parts

EVENTS = 20_000
SUPPLIERS = 1_000
WORKERS = 2
RECEIVED = date(2026, 3, 2)
REMITTED = date(2026, 3, 11)
AT = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)
NET, VAT, EARNED = 100_000, 20_000, 1_260  # 9 days of 30 at 1.00 % for day 10: 1.05 %, and its VAT

_all_ready: Any = None

_AGREE = """
WITH supplier AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS agreed(supplier_id, agreement_id)),
made AS (INSERT INTO agreement (id, supplier_id, version) SELECT agreement_id, supplier_id, 1 FROM supplier)
INSERT INTO agreement_version SELECT agreement_id, 1, supplier_id, '2026-01-01', NULL, 1.00, 10, 30,
    'received', 'run_date', 'net', 'reduce_net_and_vat', 'deduct_at_source' FROM supplier
"""

# Inbox, rule, rebate and event for a batch whose events are in memory as arrays.
_STATEMENT = f"""
WITH payment AS (
    SELECT *, remitted_on - received_on AS elapsed
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::date[],
                $9::date[], $10::bigint[], $11::bigint[], $12::bigint[])
        AS event(id, rebate_id, event_id, invoice_id, payment_id, supplier_id, number, received_on, remitted_on,
                 net, vat, deducted)
), fresh AS (
    INSERT INTO inbox (event_id, type) SELECT id, '{InvoicePaidV1.type}' FROM payment
    ON CONFLICT DO NOTHING RETURNING event_id
), rated AS (
    SELECT payment.*, a.agreement_id, a.number AS agreement_version, a.target_day, a.term_days - elapsed AS days,
        a.reference_rate_percent,
        a.reference_rate_percent / (a.term_days - a.target_day) * (a.term_days - elapsed) AS percent
    FROM payment JOIN fresh ON fresh.event_id = payment.id
    JOIN agreement_version a ON a.supplier_id = payment.supplier_id
        AND payment.received_on BETWEEN a.effective_from AND coalesce(a.effective_to, 'infinity')
), figured AS MATERIALIZED (
    SELECT rated.*, round(percent, 6) AS shown_percent, earned, round(earned / 5) AS earned_vat,
        expected, round(expected / 5) AS expected_vat
    FROM rated, LATERAL (
        SELECT round(net * percent / 100) AS earned, round(net * reference_rate_percent / 100) AS expected
    ) figures
), earned AS (
    INSERT INTO rebate (id, version, invoice_id, payment_id, supplier_id, invoice_number, received_on, remitted_on,
        method, vat_shares, disputed, part_payment, deducted_pence, agreement_id, agreement_version, status,
        clock_started_on, clock_ended_on, target_on, elapsed_days, accelerated_days, rate_percent, base_pence,
        rebate_net_pence, rebate_vat_pence, rebate_pence, expected_pence, variance_pence, rebate_parts, changed_at)
    SELECT rebate_id, 1, invoice_id, payment_id, supplier_id, number, received_on, remitted_on, 'bacs',
        jsonb_build_array(jsonb_build_object('vat_rate', '20', 'net_pence', net, 'vat_pence', vat)), false, false,
        deducted, agreement_id, agreement_version, 'earned', received_on, remitted_on, received_on + target_day,
        elapsed, days, shown_percent, net, earned, earned_vat, earned + earned_vat, expected + expected_vat, 0,
        jsonb_build_array(jsonb_build_object('vat_rate', '20', 'net_pence', earned, 'vat_pence', earned_vat)), $13
    FROM figured
)
INSERT INTO outbox (id, topic, aggregate_id, type, payload)
SELECT event_id, '{RebateEarnedV1.topic}', rebate_id, '{RebateEarnedV1.type}', convert_to(format(
    '{{"specversion":"1.0","id":"%s","source":"urn:council:rebate-service","type":"{RebateEarnedV1.type}",'
    '"subject":"%s","time":"%s","datacontenttype":"application/json","partitionkey":"%s","data":{{"version":1,'
    '"occurred_at":"%s","by":"erp","rebate_id":"%s","invoice_id":"%s","supplier_id":"%s","agreement_id":"%s",'
    '"agreement_version":%s,"payment_id":"%s","received_on":"%s","remitted_on":"%s","elapsed_days":%s,'
    '"accelerated_days":%s,"rate_percent":"%s","base_pence":%s,"rebate_net_pence":%s,"rebate_vat_pence":%s,'
    '"rebate_pence":%s,"expected_pence":%s,"deducted_pence":%s,"clock_started_on":"%s","clock_ended_on":"%s",'
    '"parts":[{{"vat_rate":"20","net_pence":%s,"vat_pence":%s}}]}}}}',
    event_id, rebate_id, $14::text, rebate_id, $14::text, rebate_id, invoice_id, supplier_id, agreement_id,
    agreement_version, payment_id, received_on, remitted_on, elapsed, days, shown_percent, net, earned, earned_vat,
    earned + earned_vat, expected + expected_vat, deducted, received_on, remitted_on, earned, earned_vat), 'UTF8')
FROM figured
"""


async def measure(parts: Parts) -> Measured:
    """20,000 payments of 1,000 suppliers under agreement, in batches of 2,000, rows new in both databases."""
    suppliers = [new_id() for _ in range(SUPPLIERS)]
    consumed, plain = parts.database("rebate"), parts.database("rebate")
    for url in (consumed, plain):
        await _agree(url, suppliers)
    # A batch is joined by hashing: PostgreSQL takes arrays for short and would compare every pair.
    connection = await asyncpg.connect(plain, server_settings={"jit": "off", "enable_nestloop": "off"})

    async def limit() -> float:
        return await _run_statement(connection, suppliers)

    with _Workers(consumed, suppliers) as workers:
        measured, bound = await alternating_figures(workers.run, limit)
    await _check(consumed, plain)
    await connection.close()
    return Measured(
        "rebates earned by the consumer, events",
        "the one set-based statement, events in memory",
        measured,
        bound,
        0.55,
        0.70,
        note=f"{WORKERS} workers; ours reads the envelopes and writes the history, too",
    )


async def _agree(url: str, suppliers: Sequence[UUID]) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(_AGREE, suppliers, [new_id() for _ in suppliers])
    await connection.execute("ANALYZE agreement_version")
    await connection.close()


class _InMemory:
    """Records in memory in place of the broker; sets `stop` when all of them are done."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._taken = self._done = 0
        self.stop = asyncio.Event()

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Record]]:
        if self._taken == len(self._records):
            await asyncio.sleep(timeout_ms / 1000)
        records = list(self._records[self._taken : self._taken + max_records])
        self._taken += len(records)
        return {TopicPartition("all", 0): records} if records else {}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        (self._done,) = offsets.values()
        if self._done == len(self._records):
            self.stop.set()


class _Workers:
    """Processes that consume side by side into one database."""

    def __init__(self, url: str, suppliers: Sequence[UUID]) -> None:
        self._url = url
        self._suppliers = suppliers
        spawn = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(
            WORKERS, mp_context=spawn, initializer=_wait_at, initargs=(spawn.Barrier(WORKERS),)
        )

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    async def run(self) -> float:
        """Events per second, from the first batch read by any worker to the last one done by any."""
        loop = asyncio.get_running_loop()
        work = (self._url, self._suppliers, EVENTS // WORKERS)
        times = await asyncio.gather(*(loop.run_in_executor(self._pool, _work, *work) for _ in range(WORKERS)))
        return EVENTS / (max(ended for _, ended in times) - min(began for began, _ in times))


def _wait_at(barrier: Any) -> None:
    """A worker process begins when all of them are ready."""
    global _all_ready  # noqa: PLW0603 - given to the process once, when it starts
    _all_ready = barrier


def _work(url: str, suppliers: Sequence[UUID], count: int) -> tuple[float, float]:
    """One worker's share; when it began and ended, by the machine's clock."""
    collect_cycles_seldom()  # as the worker does
    return asyncio.run(_consume(url, suppliers, count))


async def _consume(url: str, suppliers: Sequence[UUID], count: int) -> tuple[float, float]:
    engine = make_engine(url)
    consumer = Consumer(
        service="bench", bootstrap_servers="none", sessions=make_sessions(engine), handlers=SERVICE.handlers
    )
    source = _InMemory(_records(suppliers, count))
    await asyncio.to_thread(_all_ready.wait, 60)
    began = time.perf_counter()
    await consumer.consume(source, source.stop)
    ended = time.perf_counter()
    await engine.dispose()
    return began, ended


async def _run_statement(connection: asyncpg.Connection[Any], suppliers: Sequence[UUID]) -> float:
    """Events per second by the statement."""
    batches = [_arrays(suppliers, BATCH) for _ in range(EVENTS // BATCH)]
    began = time.perf_counter()
    for arrays in batches:
        await connection.execute(_STATEMENT, *arrays, AT, AT.isoformat())
    return EVENTS / (time.perf_counter() - began)


def _arrays(suppliers: Sequence[UUID], count: int) -> list[list[Any]]:
    """Ids of event, rebate, new event, invoice and payment; supplier, number, days, net, VAT, deducted."""
    ids = [[new_id() for _ in range(count)] for _ in range(5)]
    supplier_ids = [suppliers[place % len(suppliers)] for place in range(count)]
    numbers = [f"INV-{place:06}" for place in range(count)]
    same: list[list[Any]] = [[value] * count for value in (RECEIVED, REMITTED, NET, VAT, EARNED)]
    return [*ids, supplier_ids, numbers, *same]


def _records(suppliers: Sequence[UUID], count: int) -> list[Record]:
    """Payments as the broker gives them."""
    rows = outbox_rows(_paid(suppliers[place % len(suppliers)], place) for place in range(count))
    return [record_of(row, offset=place, partition=place % 6) for place, row in enumerate(rows)]


def _paid(supplier_id: UUID, place: int) -> InvoicePaidV1:
    """Paid on day 9, what is earned deducted to the penny."""
    example = InvoicePaidV1.example()
    changed: dict[str, Any] = {
        "occurred_at": AT,
        "invoice_id": new_id(),
        "payment_id": new_id(),
        "supplier_id": supplier_id,
        "number": f"INV-{place:06}",
        "received_on": RECEIVED,
        "remitted_on": REMITTED,
        "valid_on": None,
        "arrives_on": None,
        "paid_pence": NET + VAT - EARNED,
        "deducted_pence": EARNED,
        "vat_shares": [VatShare(vat_rate=20, net_pence=NET, vat_pence=VAT)],
    }
    return example.model_copy(update=changed)


async def _check(*urls: str) -> None:
    """Both ways earned and published the same."""
    sums = []
    for url in urls:
        connection = await asyncpg.connect(url)
        sums.append(
            await connection.fetchrow(
                "SELECT status, count(*), sum(rebate_pence), sum(variance_pence), min(expected_pence), min(base_pence),"
                " min(clock_started_on), max(clock_ended_on), min(rebate_parts::text), max(rebate_parts::text),"
                " (SELECT count(*) FROM inbox) AS marks, (SELECT count(*) FROM outbox) AS events,"
                " (SELECT array_agg(DISTINCT (SELECT string_agg(key, ',') FROM json_object_keys("
                "convert_from(payload, 'UTF8')::json->'data') AS key)) FROM outbox) AS fields_of_events"
                " FROM rebate GROUP BY status"
            )
        )
        await connection.close()
    if sums[0] != sums[1]:
        raise RuntimeError(f"the consumer and the statement differ: {sums}")
