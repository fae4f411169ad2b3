"""POST one invoice with auth, idempotency key and outbox, against the same app's POST that stores nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from uuid import UUID

from council_common.ids import new_id
from council_local.keys import machine_clients
from council_local.ports import free_ports

from benchmarks.connections import Connection, request, send_all
from benchmarks.measure import Measured, alternating
from benchmarks.parts import Parts
from benchmarks.processes import issuer, service_environment, serving
from benchmarks.suppliers import fill_suppliers

IN_FLIGHT = 16
INVOICES = 2_000
ECHOES = 4_000
WARM_UP = 300
SUPPLIERS = 500


async def measure(parts: Parts) -> Measured:
    """2,000 invoices (and 4,000 echoes) a round over 16 kept connections; one uvicorn process, durable PostgreSQL."""
    url = parts.database("invoice")
    suppliers = await fill_suppliers(url, SUPPLIERS)
    port = free_ports(1)[0]
    async with issuer(parts.folder / "keys") as tokens:
        environment = service_environment(database_url=url, bootstrap=parts.bootstrap, issuer=tokens.issuer, port=port)
        token = tokens.for_machine(machine_clients(parts.folder / "keys")["erp"], seconds=3600)
        async with serving("benchmarks.invoice_app", port=port, environment=environment) as service:
            ours, bound = await _measure(service, token, suppliers)
    return Measured(
        "POST /v1/invoices",
        "same app, POST that validates and stores nothing",
        ours,
        bound,
        0.45,
        0.50,
        note=f"{IN_FLIGHT} in flight; the load generator shares the cores",
    )


async def _measure(service: str, token: str, suppliers: list[UUID]) -> tuple[float, float]:
    connections = [await Connection.to(service) for _ in range(IN_FLIGHT)]
    numbers = count(1)

    async def ours(invoices: int = INVOICES) -> int:
        return await send_all(connections, list(_posts("/v1/invoices", token, suppliers, numbers, invoices)))

    async def limit(echoes: int = ECHOES) -> int:
        return await send_all(connections, list(_posts("/v1/bench-echoes", token, suppliers, numbers, echoes)))

    await limit(WARM_UP)
    await ours(WARM_UP)
    measured = await alternating(ours, limit)
    for connection in connections:
        await connection.close()
    return measured


def _posts(path: str, token: str, suppliers: list[UUID], numbers: Iterator[int], wanted: int) -> Iterator[bytes]:
    """Requests of different invoices, each with a key of its own."""
    for _ in range(wanted):
        number = next(numbers)
        headers = {"authorization": f"Bearer {token}", "idempotency-key": str(new_id())}
        body = json.dumps(an_invoice(number, suppliers[number % len(suppliers)])).encode()
        yield request("POST", path, headers=headers, body=body)


def an_invoice(number: int, supplier_id: UUID) -> dict[str, object]:
    """An invoice of more than £100, one like another but for number and supplier."""
    net = 10_000 + 5 * number
    line = {"description": "Works", "net_pence": net, "vat_rate": "20", "vat_pence": net // 5, "department": "roads"}
    return {
        "supplier_id": str(supplier_id),
        "source": {"system": "erp", "reference": f"I{number:08}"},
        "number": f"INV-{number:08}",
        "purchase_order_number": f"PO{number:07}",
        "issued_on": "2026-03-01",
        "received_on": "2026-03-02",
        "lines": [line],
        "net_pence": net,
        "vat_pence": net // 5,
        "gross_pence": net + net // 5,
    }
