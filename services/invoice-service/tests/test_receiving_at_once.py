"""The short way stores and tells what the careful way does, and leaves to it whatever there is something to say of."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from council_common.contracts.invoices import InvoiceReceivedV1
from council_common.contracts.suppliers import (
    BankAccountChangeRequestedV1,
    SupplierChangedV1,
    SupplierHeldV1,
)
from council_common.identity.actor import Actor
from council_common.testing.harness import NOW, Harness
from council_common.web.idempotency import KeyClaim
from invoice_service.register.invoices.receiving import Receipt, SeenSuppliers, receive_at_once, receive_with_care
from invoice_service.register.invoices.schemas import InvoiceIn
from invoice_stories import a_supplier, a_supplier_seen, an_invoice
from sqlalchemy import text

ERP = Actor("erp", "erp")
OWN = {"changed_at", "id", "source", "source_reference", "number", "number_key", "content_hash"}


class Both:
    """The two ways of one service that has seen suppliers before, or not."""

    def __init__(self, service: Harness) -> None:
        self.service = service
        self.seen = SeenSuppliers()

    async def at_once(self, body: dict[str, Any], *, key: str | None = None) -> Receipt | None:
        new = InvoiceIn.model_validate(body).new_invoice()
        claim = _claim(body, key)
        return await receive_at_once(self.service.runtime.engine, new, self.seen, by=ERP, at=NOW, claim=claim)

    async def with_care(self, body: dict[str, Any], *, key: str | None = None) -> Receipt:
        new = InvoiceIn.model_validate(body).new_invoice()
        runtime = self.service.runtime
        return await receive_with_care(
            runtime.sessions, new, by=ERP, at=NOW, clients=runtime.clients, seen=self.seen, claim=_claim(body, key)
        )

    async def rows(self, table: str) -> list[dict[str, Any]]:
        async with self.service.runtime.sessions() as session:
            found = await session.execute(text(f"SELECT * FROM {table} ORDER BY 1"))
            return [dict(row) for row in found.mappings()]


def _claim(body: dict[str, Any], key: str | None) -> KeyClaim | None:
    return None if key is None else KeyClaim("erp", key, repr(body).encode()[:32])


def _without(values: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


@pytest.fixture
async def both(racing_service: Harness) -> Both:
    await a_supplier(racing_service)
    return Both(racing_service)


async def test_both_ways_store_and_tell_the_same(both: Both) -> None:
    assert await both.at_once(an_invoice("A-1"), key="k1") is None  # nobody was seen yet
    careful = await both.with_care(an_invoice("A-1"), key="k1")
    short = await both.at_once(an_invoice("A-2"), key="k2")
    assert short is not None and (short.is_new, short.version) == (careful.is_new, careful.version) == (True, 1)
    first, second = await both.rows("invoice")
    assert _without(first, OWN) == _without(second, OWN)
    assert [row["number_key"] for row in (first, second)] == ["A1", "A2"]
    answers = [json.loads(receipt.body) for receipt in (careful, short)]
    assert _without(answers[0], OWN) == _without(answers[1], OWN)
    events = [event.model_dump() for event in await both.service.published()]
    assert len(events) == 2
    assert _without(events[0], OWN | {"invoice_id"}) == _without(events[1], OWN | {"invoice_id"})
    assert [event["invoice_id"] for event in events] == [careful.invoice_id, short.invoice_id]
    keys = sorted(await both.rows("idempotency_key"), key=lambda row: str(row["key"]))
    for key, receipt in zip(keys, (careful, short), strict=True):
        assert (key["status"], bytes(key["body"]), key["headers"]) == (201, receipt.body, receipt.headers)
    assert (await both.with_care(an_invoice("A-2"))).is_new is False  # and it is known again by its content
    assert await both.rows("invoice_hold") == await both.rows("change") == []


async def test_both_ways_answer_the_same_over_http(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    async with racing_service.as_("erp") as erp:
        posts = [await erp.post("/v1/invoices", json=an_invoice(f"A-{number}")) for number in range(3)]
    for post in posts:
        assert (post.status_code, post.headers["etag"]) == (201, '"1"')
        assert post.headers["location"] == f"/v1/invoices/{post.json()['id']}"
    assert len({json.dumps(_without(post.json(), OWN), sort_keys=True) for post in posts}) == 1


async def _held(service: Harness, supplier_id: UUID) -> None:
    await service.deliver(SupplierHeldV1(version=2, occurred_at=NOW, by="x", supplier_id=supplier_id, reason="dispute"))


async def _bank_change(service: Harness, supplier_id: UUID) -> None:
    await service.deliver(
        BankAccountChangeRequestedV1(
            version=2, occurred_at=NOW, by="x", supplier_id=supplier_id, change_id=uuid4(), requested_on=NOW.date()
        )
    )


def _changed(**values: Any) -> Callable[[Harness, UUID], Awaitable[None]]:
    async def change(service: Harness, supplier_id: UUID) -> None:
        said = {"status": "active", "payment_terms_days": 30} | values
        event = SupplierChangedV1(
            version=2, occurred_at=NOW, by="x", supplier_id=supplier_id, changed=list(values), **said
        )
        await service.deliver(event)

    return change


async def _nothing(_: Harness, __: UUID) -> None:
    """All is as it was."""


TAKEN = "source-reference-taken"


@pytest.mark.parametrize(
    ("happens", "sent", "status", "said"),
    [
        (_nothing, an_invoice("inv 1", reference="R2"), 201, {"hold_reasons": ["duplicate_suspected"]}),
        (_held, an_invoice("A-2"), 201, {"hold_reasons": ["supplier_held"]}),
        (_bank_change, an_invoice("A-2"), 201, {"hold_reasons": ["bank_account_change"]}),
        (_changed(payment_terms_days=7), an_invoice("A-2"), 201, {"hold_reasons": [], "due_on": "2026-03-08"}),
        (_changed(status="closed"), an_invoice("A-2"), 409, {"code": "supplier-closed"}),
        (_nothing, an_invoice(reference="R1"), 200, {"hold_reasons": [], "number": "INV-0001"}),
        (_nothing, an_invoice("A-2", reference="R1"), 409, {"code": TAKEN}),
        (_nothing, an_invoice("A-2", vat_pence=1), 422, {"code": "sums-differ"}),
    ],
)
async def test_the_careful_way_takes_what_is_not_plain(
    both: Both, happens: Callable[[Harness, UUID], Awaitable[None]], sent: dict[str, Any], status: int,
    said: dict[str, Any],
) -> None:  # fmt: skip
    first = await both.with_care(an_invoice(reference="R1"))
    assert await both.at_once(an_invoice("77"), key="first")
    [supplier_id] = {row["supplier_id"] for row in await both.rows("invoice")}
    await happens(both.service, supplier_id)
    tables = ("invoice", "outbox", "idempotency_key", "invoice_hold")
    before = [await both.rows(table) for table in tables]
    assert await both.at_once(sent, key="second") is None
    assert [await both.rows(table) for table in tables] == before
    async with both.service.as_("erp") as erp:
        answer = await erp.post("/v1/invoices", json=sent, headers={"idempotency-key": "second"})
    assert (answer.status_code, {name: answer.json()[name] for name in said}) == (status, said)
    if status == 200:
        assert answer.headers["location"] == f"/v1/invoices/{first.invoice_id}"


async def test_a_key_used_before_is_replayed_or_refused(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    key = {"idempotency-key": "k"}
    async with racing_service.as_("erp") as erp:
        await erp.post("/v1/invoices", json=an_invoice("first"))
        first = await erp.post("/v1/invoices", json=an_invoice(), headers=key)
        again = await erp.post("/v1/invoices", json=an_invoice(), headers=key)
        other = await erp.post("/v1/invoices", json=an_invoice("X"), headers=key)
        another_key = [
            await erp.post("/v1/invoices", json=an_invoice(), headers={"idempotency-key": "k2"}) for _ in range(2)
        ]
    assert (again.status_code, again.content, again.headers["idempotency-replayed"]) == (201, first.content, "true")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    # What was never stored has no address: answer and replay name the invoice that is there.
    assert [answer.status_code for answer in another_key] == [200, 200]
    for answer in (again, *another_key):
        assert (answer.headers["location"], answer.headers["etag"]) == (first.headers["location"], '"1"')
    assert len(await racing_service.published(InvoiceReceivedV1)) == 2


async def test_an_address_is_stored_for_what_was_stored(both: Both) -> None:
    """Found on the careful way after the short one had made an id of its own."""
    first = await both.with_care(an_invoice())
    assert await both.at_once(an_invoice(), key="k") is None
    again = await both.with_care(an_invoice(), key="k")
    [key] = await both.rows("idempotency_key")
    assert key["headers"] == first.headers == again.headers
    assert key["status"] == 200


async def test_racing_posts_with_one_source_make_one_invoice(racing_service: Harness) -> None:
    await a_supplier_seen(racing_service)
    async with racing_service.as_("erp") as erp:
        answers = await asyncio.gather(
            *(
                erp.post("/v1/invoices", json=an_invoice(), headers={"idempotency-key": f"k{number}"})
                for number in range(20)
            )
        )
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert {answer.headers["location"] for answer in answers} == {f"/v1/invoices/{answers[0].json()['id']}"}
    assert len(await racing_service.published(InvoiceReceivedV1)) == 2
