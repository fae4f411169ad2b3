"""Acts on invoices over HTTP, against receiving one: the tail of a use case is the path of everything."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import count
from uuid import UUID

from council_common.ids import new_id
from council_local.keys import machine_clients
from council_local.ports import free_ports

from benchmarks.connections import Connection, request, send_all
from benchmarks.measure import Figure, Measured, alternating_figures
from benchmarks.parts import Parts
from benchmarks.post_invoice import an_invoice
from benchmarks.processes import issuer, service_environment, serving
from benchmarks.suppliers import fill_suppliers

IN_FLIGHT = 8
INVOICES = 1_000
SUPPLIERS = 500


class Acts:
    """A service with invoices to act on, and the people who act."""

    def __init__(self, connections: list[Connection], *, erp: str, manager: str, suppliers: list[UUID]) -> None:
        self._connections = connections
        self._erp = erp
        self._manager = manager
        self._suppliers = suppliers
        self._numbers = count(1)

    async def received(self, invoices: int = INVOICES) -> tuple[list[str], float]:
        """So many new invoices, by their ids, and how many a second were received."""
        wires = [self._post("/v1/invoices", self._erp, self._invoice()) for _ in range(invoices)]
        answers, rate = await self._timed(wires)
        return [str(json.loads(answer)["id"]) for answer in answers], rate

    async def approved(self, ids: list[str]) -> float:
        """Approve invoices; how many a second."""
        return (await self._timed([self._post(f"/v1/invoices/{each}/approvals", self._manager) for each in ids]))[1]

    async def paid(self, ids: list[str]) -> float:
        """Record the payment of approved invoices; how many a second."""
        return (await self._timed([self._post("/v1/payments", self._erp, self._payment(each)) for each in ids]))[1]

    async def _timed(self, wires: list[bytes]) -> tuple[list[bytes], float]:
        answers: list[bytes] = []
        began = time.perf_counter()
        await send_all(self._connections, wires, answers=answers)
        return answers, len(wires) / (time.perf_counter() - began)

    def _invoice(self) -> dict[str, object]:
        number = next(self._numbers)
        return an_invoice(number, self._suppliers[number % len(self._suppliers)])

    def _payment(self, invoice_id: str) -> dict[str, object]:
        # What an invoice of the benchmark comes to is in its number; a part of it is as good as the whole.
        return {
            "invoice_id": invoice_id,
            "source": {"system": "erp", "reference": str(new_id())},
            "remitted_on": "2026-03-11",
            "paid_pence": 10_000,
            "method": "bacs",
            "reference": "RUN 1",
        }

    def _post(self, path: str, token: str, body: object = None) -> bytes:
        headers = {"authorization": f"Bearer {token}", "idempotency-key": str(new_id())}
        return request("POST", path, headers=headers, body=b"" if body is None else json.dumps(body).encode())


async def measured_acts(
    parts: Parts, *, path: str, reach: float, aim: float, ours: Callable[[Acts], Figure]
) -> Measured:
    """An act beside POST of an invoice: 1,000 a round, 8 at a time; one uvicorn process, durable PostgreSQL."""
    url = parts.database("invoice")
    suppliers = await fill_suppliers(url, SUPPLIERS)
    port = free_ports(1)[0]
    async with issuer(parts.folder / "keys") as tokens:
        environment = service_environment(database_url=url, bootstrap=parts.bootstrap, issuer=tokens.issuer, port=port)
        erp = tokens.for_machine(machine_clients(parts.folder / "keys")["erp"], seconds=3600)
        manager = tokens.for_person("ap_manager")
        async with serving("invoice_service", "api", port=port, environment=environment) as service:
            connections = [await Connection.to(service) for _ in range(IN_FLIGHT)]
            acts = Acts(connections, erp=erp, manager=manager, suppliers=suppliers)
            await acts.approved((await acts.received(SUPPLIERS))[0])

            async def limit() -> float:
                return (await acts.received())[1]

            figure, bound = await alternating_figures(ours(acts), limit)
            for connection in connections:
                await connection.close()
    return Measured(path, "POST /v1/invoices, same service", figure, bound, reach, aim, note=f"{IN_FLIGHT} in flight")
