"""Every part is killed while the ERP goes on; afterwards nothing is lost and nothing doubled."""

import asyncio
from typing import Any

import asyncpg
import httpx
from council import Council, a_supplier, in_the_programme, until

VICTIMS = ("invoice", "rebate", "kafka", "postgres", "notification", "gateway")
# Paid between one accident and the next: each part dies at work.
PAID_BETWEEN = 5


async def test_nothing_is_lost_or_doubled_while_parts_are_killed(council: Council) -> None:
    supplier = await a_supplier(council)
    await in_the_programme(council, supplier)
    erp, assistant = council.as_("erp"), council.as_("payments_assistant")
    payments: list[str] = []
    accidents_over = asyncio.Event()

    async def work() -> None:
        while not accidents_over.is_set():
            payments.append(await _receive_approve_pay(erp, assistant, supplier["id"], len(payments)))

    async def accidents() -> None:
        for victim in VICTIMS:
            await _some_more_are_paid(payments)
            council.platform.kill(victim)
            await council.platform.ready(victim)
        await _some_more_are_paid(payments)
        accidents_over.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(work())
        group.create_task(accidents())
    count = len(payments)
    assert count == len(set(payments)) >= PAID_BETWEEN * (len(VICTIMS) + 1)

    async def earned() -> list[Any] | None:
        rebates = await _all_of(council.as_("early_payment_coordinator"), "/v1/rebates", supplier_id=supplier["id"])
        done = [rebate for rebate in rebates if rebate["status"] == "earned"]
        return done if len(done) >= count else None

    rebates = await until(earned, seconds=120)
    assert sorted(rebate["payment_id"] for rebate in rebates) == sorted(payments)
    assert {rebate["rebate_pence"] for rebate in rebates} == {1_260}

    async def all_delivered() -> bool:
        totals = (await council.as_("auditor").get("/v1/messages/totals")).json()["items"]
        return sum(total["count"] for total in totals if total["status"] == "delivered") == count

    await until(all_delivered, seconds=120)
    await _sent_is_handled(council, count)


async def _some_more_are_paid(payments: list[str]) -> None:
    wanted = len(payments) + PAID_BETWEEN

    async def enough() -> bool:
        return len(payments) >= wanted

    await until(enough, seconds=120)


async def _all_of(client: httpx.AsyncClient, path: str, **params: Any) -> list[Any]:
    """Every item of a list, page by page; none while its service is away."""
    items: list[Any] = []
    query = {**params, "limit": 200}
    while True:
        answer = await client.get(path, params=query)
        if answer.status_code != 200:  # just back: the gateway has not found it yet
            return []
        items += answer.json()["items"]
        if (cursor := answer.json()["next"]) is None:
            return items
        query["cursor"] = cursor


async def _receive_approve_pay(
    erp: httpx.AsyncClient, assistant: httpx.AsyncClient, supplier_id: str, number: int
) -> str:
    line = {"description": "Works", "net_pence": 100_000, "vat_rate": "20", "vat_pence": 20_000}
    invoice = {
        "supplier_id": supplier_id,
        "source": {"system": "erp", "reference": f"F-{number}"},
        "number": f"F-{number}",
        "issued_on": "2026-03-01",
        "received_on": "2026-03-02",
        "lines": [line],
        "net_pence": 100_000,
        "vat_pence": 20_000,
        "gross_pence": 120_000,
    }
    invoice_id = (await _persist(erp, "/v1/invoices", invoice, key=f"i-{number}"))["id"]
    await _persist(assistant, f"/v1/invoices/{invoice_id}/approvals", {}, key=f"a-{number}")
    payment = {
        "invoice_id": invoice_id,
        "source": {"system": "erp", "reference": f"FP-{number}"},
        "remitted_on": "2026-03-11",
        "paid_pence": 118_740,
        "deducted_pence": 1_260,
        "method": "bacs",
    }
    paid: str = (await _persist(erp, "/v1/payments", payment, key=f"p-{number}"))["id"]
    return paid


async def _persist(client: httpx.AsyncClient, path: str, body: Any, *, key: str) -> Any:
    """Post until it is answered, as an ERP does: the same key, whatever happened to the last try."""
    async with asyncio.timeout(90):
        while True:
            try:
                answer = await client.post(path, json=body, headers={"idempotency-key": key})
            except httpx.TransportError:
                await asyncio.sleep(0.2)
                continue
            if answer.status_code in {200, 201}:
                return answer.json()
            assert answer.status_code >= 500, answer.text
            await asyncio.sleep(0.2)


async def _sent_is_handled(council: Council, count: int) -> None:
    """What invoice-service sent and rebate-service subscribes to was handled, each once."""
    sent = await _rows(council, "invoice", "SELECT type, count FROM events_sent WHERE topic = 'invoices.v1'")
    handled = await _rows(council, "rebate", "SELECT type, count(*) FROM inbox GROUP BY type")
    for event_type in ("uk.gov.council.invoice.received.v1", "uk.gov.council.invoice.paid.v1"):
        assert handled[event_type] == sent[event_type] == count
    for service in ("supplier", "invoice", "rebate", "notification"):
        assert await _rows(council, service, "SELECT 'waiting', count(*) FROM dead_letter") == {"waiting": 0}


async def _rows(council: Council, service: str, statement: str) -> dict[str, int]:
    connection = await asyncpg.connect(council.platform.database_url(service))
    rows = await connection.fetch(statement)
    await connection.close()
    return {row[0]: row[1] for row in rows}
