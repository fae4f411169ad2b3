"""Every part is killed while the ERP goes on; afterwards nothing is lost and nothing doubled."""

import asyncio
from typing import Any

import asyncpg
import httpx
from council import Council, a_supplier, in_the_programme, until

VICTIMS = ("invoice", "rebate", "kafka", "postgres", "notification", "gateway")
INVOICES = 60


async def test_nothing_is_lost_or_doubled_while_parts_are_killed(council: Council) -> None:
    supplier = await a_supplier(council)
    await in_the_programme(council, supplier)
    erp, assistant = council.as_("erp"), council.as_("payments_assistant")

    async def work() -> list[str]:
        return [await _receive_approve_pay(erp, assistant, supplier["id"], number) for number in range(INVOICES)]

    async def accidents() -> None:
        for victim in VICTIMS:
            await asyncio.sleep(1)
            council.platform.kill(victim)
            await council.platform.ready(victim)

    payments, _ = await asyncio.gather(work(), accidents())
    assert len(set(payments)) == INVOICES

    coordinator = council.as_("early_payment_coordinator")

    async def earned() -> Any:
        answer = await coordinator.get("/v1/rebates", params={"supplier_id": supplier["id"], "limit": 200})
        rebates = answer.json().get("items", [])
        done = [each for each in rebates if each["status"] == "earned"]
        return done if len(done) >= INVOICES else None

    rebates = await until(earned, seconds=120)
    assert sorted(each["payment_id"] for each in rebates) == sorted(payments)
    assert {each["rebate_pence"] for each in rebates} == {1_260}

    async def all_told() -> bool:
        totals = (await council.as_("auditor").get("/v1/messages/totals")).json()["items"]
        return sum(each["count"] for each in totals if each["status"] == "delivered") == INVOICES

    await until(all_told, seconds=120)
    await _sent_is_handled(council)


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


async def _sent_is_handled(council: Council) -> None:
    """What invoice-service sent and rebate-service subscribes to was handled, each once."""
    sent = await _rows(council, "invoice", "SELECT type, count FROM events_sent WHERE topic = 'invoices.v1'")
    handled = await _rows(council, "rebate", "SELECT type, count(*) FROM inbox GROUP BY type")
    for event_type in ("uk.gov.council.invoice.received.v1", "uk.gov.council.invoice.paid.v1"):
        assert handled[event_type] == sent[event_type] == INVOICES
    for service in ("supplier", "invoice", "rebate", "notification"):
        assert await _rows(council, service, "SELECT 'waiting', count(*) FROM dead_letter") == {"waiting": 0}


async def _rows(council: Council, service: str, statement: str) -> dict[str, int]:
    connection = await asyncpg.connect(council.platform.database_url(service))
    rows = await connection.fetch(statement)
    await connection.close()
    return {row[0]: row[1] for row in rows}
