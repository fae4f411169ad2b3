"""Money to recover becomes a receivable: who is charged, and the exception that shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
from council_common.contracts.debts import ReceivableRaisedV1
from council_common.contracts.fields import SourceReference
from council_common.contracts.invoices import PaymentExceptionResolvedV1
from council_common.ids import new_id
from council_common.runtime.clients import ServiceClients
from council_common.testing.harness import NOW, Harness
from invoice_stories import a_payment, a_supplier, approved, history_of, shown

CUSTOMER = "0195a1b2-0000-7000-8000-0000000000c1"


@asynccontextmanager
async def customers(service: Harness, *known: tuple[str, str], away: bool = False) -> AsyncIterator[None]:
    """debt-service with some customers, (id, reference at the ERP), or out of reach."""

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host != "debts.test":
            return service.issuer._answer(request)
        if away:
            raise httpx.ConnectError("nobody there")
        asked = request.url.params
        items = [
            {"id": id_}
            for id_, reference in known
            if asked.get("ids") == id_ or asked.get("source_reference") == reference
        ]
        return httpx.Response(200, json={"items": items, "next": None})

    before = service.runtime.clients
    settings = service.runtime.settings.model_copy(update={"debt_service_url": "http://debts.test"})
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        service.runtime.clients = ServiceClients(settings, client)
        try:
            yield
        finally:
            service.runtime.clients = before


async def paid_twice(service: Harness) -> dict[str, Any]:
    """The exception of an invoice that was paid twice."""
    await a_supplier(service)
    invoice = await approved(service)
    async with service.as_("erp") as erp:
        for reference in ("P1", "P2"):
            await erp.post("/v1/payments", json=a_payment(invoice["id"], reference=reference))
    [found] = (await shown(service, "/v1/payment-exceptions?to_recover=true"))["items"]
    return dict(found)


async def resolve(service: Harness, found: dict[str, Any], resolution: str = "receivable_raised", **other: Any) -> Any:
    body = {"resolution": resolution, "note": "They will pay it back on an invoice."} | other
    async with service.as_("ap_manager") as manager:
        return await manager.post(f"/v1/payment-exceptions/{found['id']}/resolutions", json=body)


async def test_money_to_recover_becomes_a_receivable(service: Harness) -> None:
    found = await paid_twice(service)
    async with customers(service, (CUSTOMER, "S1")):
        done = await resolve(service, found)
    assert done.status_code == 201, done.text
    assert (done.json()["customer_id"], done.json()["receivable_id"]) == (CUSTOMER, None)
    [event] = await service.published(PaymentExceptionResolvedV1)
    assert (str(event.customer_id), event.recover_pence, event.number) == (CUSTOMER, 130_500, "INV-0001")
    raised = ReceivableRaisedV1(
        version=1, occurred_at=NOW, by="manager", receivable_id=new_id(), customer_id=UUID(CUSTOMER),
        source=SourceReference(system="invoice-service", reference=found["id"]), number="OP-1",
        department="accounts_payable", debt_type="supplier_overpayment", issued_on=NOW.date(), due_on=NOW.date(),
        gross_pence=130_500,
    )  # fmt: skip
    elsewhere = raised.model_copy(
        update={"receivable_id": new_id(), "source": SourceReference(system="erp", reference="R1")}
    )
    for _ in range(2):
        await service.deliver(raised, elsewhere)
    path = f"/v1/payment-exceptions/{found['id']}"
    assert (await shown(service, path))["receivable_id"] == str(raised.receivable_id)
    assert [change["action"] for change in await history_of(service, path)] == [
        "found", "resolved", "receivable raised",
    ]  # fmt: skip


async def test_who_is_charged_is_said_where_it_cannot_be_known(service: Harness) -> None:
    found = await paid_twice(service)
    async with customers(service, (CUSTOMER, "elsewhere")):
        for wrong in ({}, {"customer_id": str(new_id())}):
            unknown = await resolve(service, found, **wrong)
            assert (unknown.status_code, unknown.json()["code"]) == (422, "customer-unknown")
            assert unknown.json()["errors"][0]["field"] == "customer_id"
        assert (await resolve(service, found, "set_off", customer_id=CUSTOMER)).status_code == 422
        named = await resolve(service, found, customer_id=CUSTOMER)
    assert (named.status_code, named.json()["customer_id"]) == (201, CUSTOMER)


async def test_while_debt_service_is_away_nobody_is_charged(service: Harness) -> None:
    found = await paid_twice(service)
    async with customers(service, away=True):
        answer = await resolve(service, found)
    assert (answer.status_code, (await shown(service, f"/v1/payment-exceptions/{found['id']}"))["status"]) == (
        503,
        "open",
    )
