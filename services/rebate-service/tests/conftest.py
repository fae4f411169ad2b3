import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from council_common.contracts.fields import SourceReference, VatShare
from council_common.contracts.invoices import (
    InvoiceCancelledV1,
    InvoicePaidV1,
    InvoiceReceivedV1,
    PaymentReturnedV1,
)
from council_common.contracts.suppliers import EarlyPaymentAgreedV1, EarlyPaymentDeclinedV1
from council_common.ids import new_id
from council_common.runtime.clients import ServiceClients
from council_common.testing.fixtures import service_fixtures
from council_common.testing.harness import NOW, Harness
from rebate_service.main import SERVICE
from rebate_service.rebate_variances.jobs import JOBS
from rebate_service.settings import Settings
from sqlalchemy import text

RECEIVED = date(2026, 3, 2)  # a Monday


service_database, service, racing_service = service_fixtures(SERVICE, Settings)


class Story:
    """One supplier and its invoice number INV-1: by default £1,000.00 net and 20 % VAT, received on 2 March 2026."""

    def __init__(self, service: Harness) -> None:
        self.service = service
        self.supplier_id = new_id()
        self.invoice_id = new_id()

    def agreed(self, **changed: Any) -> EarlyPaymentAgreedV1:
        return EarlyPaymentAgreedV1(
            **{
                "version": 1,
                "occurred_at": NOW,
                "by": "coordinator",
                "supplier_id": self.supplier_id,
                "agreed_on": date(2026, 1, 1),
                "effective_from": date(2026, 1, 1),
                "term_days": 30,
                "reference_rate_percent": "1.00",
                "target_day": 10,
                "clock_start": "received",
                "clock_end": "run_date",
                "rebate_base": "net",
                "vat_mode": "reduce_net_and_vat",
                "collection": "deduct_at_source",
            }
            | changed
        )

    def declined(self, declined_on: date) -> EarlyPaymentDeclinedV1:
        return EarlyPaymentDeclinedV1(
            version=2, occurred_at=NOW, by="coordinator", supplier_id=self.supplier_id, declined_on=declined_on
        )

    def received(self, **changed: Any) -> InvoiceReceivedV1:
        shares = changed.pop("vat_shares", [a_share()])
        return InvoiceReceivedV1(
            **{
                "version": 1,
                "occurred_at": NOW,
                "by": "erp",
                "invoice_id": self.invoice_id,
                "supplier_id": self.supplier_id,
                "source": SourceReference(system="erp", reference="1"),
                "number": "INV-1",
                "issued_on": RECEIVED,
                "received_on": RECEIVED,
                "due_on": RECEIVED + timedelta(days=30),
                "net_pence": sum(share.net_pence for share in shares),
                "vat_pence": sum(share.vat_pence for share in shares),
                "gross_pence": sum(share.net_pence + share.vat_pence for share in shares),
                "vat_shares": shares,
                "status": "received",
            }
            | changed
        )

    def paid(self, day: int = 10, deducted: int = 0, **changed: Any) -> InvoicePaidV1:
        shares = changed.pop("vat_shares", [a_share()])
        gross = sum(share.net_pence + share.vat_pence for share in shares)
        received_on = changed.get("received_on", RECEIVED)
        return InvoicePaidV1(
            **{
                "version": 3,
                "occurred_at": NOW,
                "by": "erp",
                "invoice_id": self.invoice_id,
                "supplier_id": self.supplier_id,
                "payment_id": new_id(),
                "number": "INV-1",
                "issued_on": received_on,
                "received_on": received_on,
                "due_on": received_on + timedelta(days=30),
                "remitted_on": received_on + timedelta(days=day),
                "gross_pence": gross,
                "paid_pence": gross - deducted,
                "deducted_pence": deducted,
                "settled": True,
                "vat_shares": shares,
            }
            | changed
        )

    def returned(self, paid: InvoicePaidV1) -> PaymentReturnedV1:
        return PaymentReturnedV1(
            version=4,
            occurred_at=NOW,
            by="bank",
            invoice_id=paid.invoice_id,
            supplier_id=paid.supplier_id,
            payment_id=paid.payment_id,
            returned_on=paid.remitted_on + timedelta(days=3),
            reason="5",
            gross_pence=paid.gross_pence,
            paid_pence=paid.paid_pence,
            deducted_pence=paid.deducted_pence,
        )

    def cancelled(self) -> InvoiceCancelledV1:
        return InvoiceCancelledV1(
            version=2,
            occurred_at=NOW,
            by="erp",
            invoice_id=self.invoice_id,
            supplier_id=self.supplier_id,
            reason="entered_in_error",
        )

    async def happens(self, *events: Any) -> None:
        """Each event in a transaction of its own, then the job that applies agreements."""
        for event in events:
            await self.service.deliver(event)
        await self.applied()

    async def applied(self) -> None:
        await self.service.run_job(JOBS[0])

    async def rebates(self, **filters: Any) -> list[dict[str, Any]]:
        async with self.service.as_("auditor") as client:
            params = {"supplier_id": str(self.supplier_id), "sort": "id", **filters}
            answer = await client.get("/v1/rebates", params=params)
            assert answer.status_code == 200, answer.text
            items: list[dict[str, Any]] = answer.json()["items"]
            return items

    async def variances(self, **filters: Any) -> list[dict[str, Any]]:
        async with self.service.as_("auditor") as client:
            params = {"supplier_id": str(self.supplier_id), "sort": "id", **filters}
            items: list[dict[str, Any]] = (await client.get("/v1/rebate-variances", params=params)).json()["items"]
            return items


def a_share(net_pence: int = 100_000, vat_pence: int | None = None, vat_rate: str = "20") -> VatShare:
    vat = net_pence * int(vat_rate) // 100 if vat_pence is None else vat_pence
    return VatShare(vat_rate=Decimal(vat_rate), net_pence=net_pence, vat_pence=vat)


@pytest.fixture
def story(service: Harness) -> Story:
    return Story(service)


@pytest.fixture
def make_story() -> type[Story]:
    return Story


@pytest.fixture
def share() -> Any:
    return a_share


@pytest.fixture
async def supplier_names(service: Harness) -> AsyncIterator[dict[str, str]]:
    """What supplier-service answers for ids, as the service under test asks it."""
    names: dict[str, str] = {}

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v1/suppliers":
            async with service.issuer.client() as issuer:
                return await issuer.send(request)
        ids = request.url.params.get_list("ids")
        return httpx.Response(200, json={"items": [{"id": id_, "name": names[id_]} for id_ in ids if id_ in names]})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        service.runtime.clients = ServiceClients(service.runtime.settings, client)
        yield names


@pytest.fixture
def a_session_waits() -> Any:
    return _a_session_waits


async def _a_session_waits(service: Harness) -> None:
    """Return as soon as a session of this database waits for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(30), service.runtime.engine.connect() as connection:
        while not await connection.scalar(waiting):
            await connection.rollback()
            await asyncio.sleep(0.01)
