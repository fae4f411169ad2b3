"""A payment posted until its rebate is seen over HTTP, against a Kafka round trip on the same broker."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from council_common.contracts.invoices import InvoicePaidV1
from council_common.events.envelope import seal
from council_common.ids import new_id
from council_local.folders import Folders
from council_local.kafka import declare_topics
from council_local.platform import Platform
from council_local.ports import Ports
from council_local.scratch import scratch_folder

from benchmarks.connections import Connection, request
from benchmarks.measure import Measured
from benchmarks.parts import Parts

ROUNDS = 40
THROUGH_GATEWAY = 10
WARM_UP = 5
PATIENCE_SECONDS = 60.0
TOPIC = "bench.v1"

_numbers = count(1)


class Council:
    """A client of the services, by their ports or all of them by the gateway."""

    def __init__(self, connections: dict[str, Connection], token: str) -> None:
        self._connections = connections
        self._headers = {"authorization": f"Bearer {token}"}
        self.supplier_id = ""

    @classmethod
    async def directly(cls, platform: Platform, token: str) -> Council:
        """To each service's own port."""
        services = ("supplier", "invoice", "rebate")
        return cls({name: await Connection.to(platform.service_url(name)) for name in services}, token)

    @classmethod
    async def through_gateway(cls, platform: Platform, token: str) -> Council:
        """To the gateway alone."""
        gateway = await Connection.to(platform.gateway_url)
        return cls(dict.fromkeys(("supplier", "invoice", "rebate"), gateway), token)

    async def post(self, service: str, path: str, body: object, *, token: str | None = None) -> Any:
        headers = {"authorization": f"Bearer {token}"} if token else self._headers
        keyed = {**headers, "idempotency-key": str(new_id())}
        return await self._connections[service].json(
            request("POST", path, headers=keyed, body=json.dumps(body).encode())
        )

    async def first(self, service: str, path: str) -> Any:
        """Request a list without a pause until it has something; its first item."""
        wire = request("GET", path, headers=self._headers)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if items := (await self._connections[service].json(wire))["items"]:
                    return items[0]


async def measure(parts: Parts) -> Measured:
    """40 payments one at a time, each beside a round trip; the platform is one of its own, whole."""
    del parts
    with scratch_folder("platform") as folder:
        async with Platform(Folders(folder), Ports.free(), environment={}) as platform:
            return await _measure(platform)


async def _measure(platform: Platform) -> Measured:
    erp = platform.machine_token("erp")
    council = await Council.directly(platform, erp)
    await _agree(platform, council)
    async with _round_trips(platform) as round_trip:
        await _seconds(WARM_UP, [_payer(council, council, platform), round_trip])
        posted: list[float] = []
        payer = _payer(council, council, platform, posted=posted)
        ours, bound = await _seconds(ROUNDS, [payer, round_trip])
        through_gateway = _payer(council, await Council.through_gateway(platform, erp), platform)
        (outside,) = await _seconds(THROUGH_GATEWAY, [through_gateway])
    return Measured(
        "paid → rebate visible, one at a time",
        "Kafka round trip, same broker",
        statistics.median(ours) * 1000,
        statistics.median(bound) * 1000,
        8,
        6,
        unit="ms",
        note=f"at the services' own ports, the POST alone {statistics.median(posted) * 1000:.1f} ms; "
        f"through the gateway {statistics.median(outside) * 1000:.1f} ms; slowest {max(ours) * 1000:.0f} ms",
    )


async def _seconds(times: int, steps: list[Callable[[], Awaitable[float]]]) -> list[list[float]]:
    """The steps in turn, a number of times; how long each of them took."""
    rounds = [[await step() for step in steps] for _ in range(times)]
    return [list(step) for step in zip(*rounds, strict=True)]


def _payer(
    council: Council, client: Council, platform: Platform, *, posted: list[float] | None = None
) -> Callable[[], Awaitable[float]]:
    """Pays an invoice that waits for it; from the first byte of the payment to the first sight of its rebate.

    What the POST alone took goes into `posted`.
    """

    async def pay() -> float:
        invoice = await _payable(council, platform)
        body = {
            "invoice_id": invoice["id"],
            "source": _source("P"),
            "remitted_on": "2026-03-11",
            "paid_pence": 118_740,
            "deducted_pence": 1_260,
            "method": "bacs",
        }
        began = time.perf_counter()
        payment = await client.post("invoice", "/v1/payments", body)
        if posted is not None:
            posted.append(time.perf_counter() - began)
        rebate = await client.first("rebate", f"/v1/rebates?payment_id={payment['id']}")
        seconds = time.perf_counter() - began
        if rebate["rebate_pence"] != 1_260:
            raise RuntimeError(f"not the rebate it should be: {rebate}")
        return seconds

    return pay


def _source(prefix: str) -> dict[str, str]:
    return {"system": "erp", "reference": f"{prefix}{next(_numbers):06}"}


async def _agree(platform: Platform, council: Council) -> None:
    """One supplier in the programme: 1.00 % for day 10, nothing at day 30."""
    supplier = await council.post("supplier", "/v1/suppliers", {"source": _source("S"), "name": "Ardley Paving Ltd"})
    terms = {
        "agreed_on": "2026-01-15",
        "effective_from": "2026-02-01",
        "clock_start": "received",
        "clock_end": "run_date",
        "rebate_base": "net",
        "vat_mode": "reduce_net_and_vat",
        "collection": "deduct_at_source",
    }
    body = {"supplier_id": supplier["id"], "stage": "agreed", "terms": terms}
    token = platform.token("early_payment_coordinator")
    await council.post("supplier", "/v1/onboardings", body, token=token)
    await council.first("rebate", f"/v1/agreements?supplier_id={supplier['id']}")
    council.supplier_id = supplier["id"]


async def _payable(council: Council, platform: Platform) -> Any:
    """An invoice received, expected to earn, approved; nothing about it is still under way."""
    line = {"description": "Works", "net_pence": 100_000, "vat_rate": "20", "vat_pence": 20_000}
    source = _source("I")
    body = {
        "supplier_id": council.supplier_id,
        "source": source,
        "number": source["reference"],
        "issued_on": "2026-03-01",
        "received_on": "2026-03-02",
        "lines": [line],
        "net_pence": 100_000,
        "vat_pence": 20_000,
        "gross_pence": 120_000,
    }
    invoice = await council.post("invoice", "/v1/invoices", body)
    token = platform.token("payments_assistant")
    await council.post("invoice", f"/v1/invoices/{invoice['id']}/approvals", {}, token=token)
    await council.first("rebate", f"/v1/rebates?invoice_id={invoice['id']}&status=expected")
    await asyncio.sleep(0.05)
    return invoice


@asynccontextmanager
async def _round_trips(platform: Platform) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """Sends one event to a consumer that waits for it; the seconds until it is there."""
    bootstrap, security = platform.kafka_bootstrap, platform.around.kafka_security()
    await declare_topics(bootstrap, [TOPIC], partitions=1, security=security)
    client = {"bootstrap_servers": bootstrap, **security.options}
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, linger_ms=0, **client)
    consumer = AIOKafkaConsumer(TOPIC, group_id=None, auto_offset_reset="latest", **client)
    payload = seal(InvoicePaidV1.example(), event_id=new_id())
    await producer.start()
    await consumer.start()
    await consumer.seek_to_end()

    async def round_trip() -> float:
        arriving = asyncio.ensure_future(consumer.getone())
        await asyncio.sleep(0.05)
        began = time.perf_counter()
        await producer.send(TOPIC, payload, key=b"bench")
        await arriving
        return time.perf_counter() - began

    try:
        yield round_trip
    finally:
        await consumer.stop()
        await producer.stop()
