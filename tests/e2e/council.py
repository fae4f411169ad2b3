"""People and systems of a council, as the stories need them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from council_local.platform import Platform

_numbers = itertools.count(1)


class Council:
    """People and systems of a council, as they reach the platform: through the gateway, with their tokens."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._clients: dict[tuple[str, str | None], httpx.AsyncClient] = {}

    def as_(self, role: str, name: str | None = None) -> httpx.AsyncClient:
        """Somebody in a role; "erp" is the system."""
        if (role, name) not in self._clients:
            token = (
                self.platform.machine_token("erp") if role == "erp" else self.platform.token(role, name=name, hours=2)
            )
            self._clients[role, name] = httpx.AsyncClient(
                base_url=self.platform.gateway_url, headers={"authorization": f"Bearer {token}"}, timeout=60
            )
        return self._clients[role, name]

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def mails_to(self, address: str) -> list[dict[str, Any]]:
        """What the mail sink holds for an address."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{self.platform.mail_url}/messages", params={"recipient": address})
        found: list[dict[str, Any]] = answer.json()["items"]
        return found


def a_reference(prefix: str) -> str:
    """A reference nobody used before."""
    return f"{prefix}-{next(_numbers):06d}"


async def until(look: Callable[[], Awaitable[Any]], *, seconds: float = 60) -> Any:
    """Poll until `look` gives something true; the value, or a failure that shows the last one."""
    last: Any = None
    try:
        async with asyncio.timeout(seconds):
            while not (last := await look()):
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"not within {seconds} seconds; last seen: {last!r}")
    return last


def created(answer: httpx.Response) -> Any:
    """The body of an answer that made something; the problem document otherwise."""
    assert answer.status_code in {200, 201, 202}, answer.text
    return answer.json()


async def a_supplier(council: Council, **fields: Any) -> Any:
    """A supplier the ERP registered, with a mailbox of its own and a telephone number held for years."""
    reference = a_reference("S")
    contact = {
        "name": "Accounts",
        "email": f"{reference.lower()}@supplier.example",
        "phone": "01872 555000",
        "purpose": "remittance",
        "phone_since": "2020-01-01",
    }
    body = {"source": {"system": "erp", "reference": reference}, "name": f"Firm {reference} Ltd", "contacts": [contact]}
    return created(await council.as_("erp").post("/v1/suppliers", json=body | fields))


async def an_invoice(council: Council, supplier: Any, *, net_pence: int = 100_000, **fields: Any) -> Any:
    """An invoice of 2 March 2026 with 20 % VAT, as the ERP posts it."""
    reference = a_reference("I")
    vat = net_pence // 5
    line = {"description": "Works", "net_pence": net_pence, "vat_rate": "20", "vat_pence": vat, "department": "roads"}
    body = {
        "supplier_id": supplier["id"],
        "source": {"system": "erp", "reference": reference},
        "number": f"N{reference}",
        "issued_on": "2026-03-01",
        "received_on": "2026-03-02",
        "lines": [line],
        "net_pence": net_pence,
        "vat_pence": vat,
        "gross_pence": net_pence + vat,
    }
    return created(await council.as_("erp").post("/v1/invoices", json=body | fields))


async def approved(council: Council, invoice: Any) -> None:
    """Somebody other than the ERP approves."""
    created(await council.as_("payments_assistant").post(f"/v1/invoices/{invoice['id']}/approvals", json={}))


async def paid(council: Council, invoice: Any, *, deducted_pence: int = 0, remitted_on: str = "2026-03-11") -> Any:
    """The ERP tells that it paid all of an invoice."""
    body = {
        "invoice_id": invoice["id"],
        "source": {"system": "erp", "reference": a_reference("P")},
        "remitted_on": remitted_on,
        "paid_pence": invoice["gross_pence"] - deducted_pence,
        "deducted_pence": deducted_pence,
        "method": "bacs",
        "reference": "RUN 1",
    }
    return created(await council.as_("erp").post("/v1/payments", json=body))


TERMS = {
    "agreed_on": "2026-01-15",
    "effective_from": "2026-02-01",
    "clock_start": "received",
    "clock_end": "run_date",
    "rebate_base": "net",
    "vat_mode": "reduce_net_and_vat",
    "collection": "deduct_at_source",
}


async def in_the_programme(council: Council, supplier: Any, **terms: Any) -> Any:
    """The supplier agreed to 1.00 % at day 10, nothing at day 30; its agreement is in force."""
    coordinator = council.as_("early_payment_coordinator")
    body = {"supplier_id": supplier["id"], "stage": "agreed", "terms": TERMS | terms}
    created(await coordinator.post("/v1/onboardings", json=body))

    async def agreement() -> Any:
        return (await coordinator.get("/v1/agreements", params={"supplier_id": supplier["id"]})).json()["items"]

    return (await until(agreement))[0]


async def one_item(client: httpx.AsyncClient, path: str, **params: Any) -> Any:
    """The only item of a filtered list, or nothing yet."""
    items = (await client.get(path, params=params)).json().get("items", [])
    return items[0] if len(items) == 1 else None
