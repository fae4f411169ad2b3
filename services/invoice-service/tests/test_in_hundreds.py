"""Invoices, approvals and payments by the hundred: the rules of one, a verdict for each."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

from council_common.contracts.invoices import (
    DuplicateSuspectedV1,
    InvoiceApprovedV1,
    InvoiceHeldV1,
    InvoicePaidV1,
    InvoiceReceivedV1,
    PaymentExceptionFoundV1,
)
from council_common.contracts.suppliers import SupplierChangedV1, SupplierHeldV1
from council_common.database.rows import get_row, plain_row
from council_common.testing.harness import NOW, Harness
from invoice_service.register.invoices.tables import Invoice
from invoice_stories import a_hold, a_payment, a_supplier, an_invoice, approved, history_of, received, shown
from supplier_stand_in import supplier_service


async def sent(service: Harness, path: str, items: list[Any], *, role: str = "erp", **headers: str) -> Any:
    async with service.as_(role) as caller:
        answer = await caller.post(path, json={"items": items}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def verdicts(answer: dict[str, Any]) -> list[tuple[str, str | None]]:
    assert [one["index"] for one in answer["items"]] == list(range(answer["received"]))
    return [(one["outcome"], one["code"]) for one in answer["items"]]


async def test_invoices_in_bulk_are_what_they_are_one_by_one(service: Harness) -> None:
    """The same invoices, posted singly to one supplier and in bulk to another, end up the same."""
    await a_supplier(service)
    await a_supplier(service, "S2")
    bodies = [an_invoice(f"N{place}", due_on="2026-03-20" if place % 2 else None) for place in range(6)]
    bodies.append(an_invoice("N0", reference="again"))
    for body in bodies:
        async with service.as_("erp") as erp:
            assert (await erp.post("/v1/invoices", json=body)).status_code == 201
    other = [
        body | {"supplier": {"system": "erp", "reference": "S2"}, "source": {"system": "b", "reference": f"B{place}"}}
        for place, body in enumerate(bodies)
    ]
    answer = await sent(service, "/v1/invoices/bulk", other)
    assert (answer["created"], answer["refused"]) == (7, 0)
    ids = [one["id"] for one in answer["items"]]
    singly = (await shown(service, "/v1/invoices?source_system=erp&sort=id"))["items"]
    in_bulk = [await shown(service, f"/v1/invoices/{id_}") for id_ in ids]
    own = ("id", "supplier_id", "source", "duplicate_of")
    for one, many in zip(singly, in_bulk, strict=True):
        assert {k: v for k, v in one.items() if k not in own} == {k: v for k, v in many.items() if k not in own}
        assert [(c["version"], c["action"]) for c in await history_of(service, f"/v1/invoices/{one['id']}")] == [
            (c["version"], c["action"]) for c in await history_of(service, f"/v1/invoices/{many['id']}")
        ]
    assert in_bulk[-1]["duplicate_of"] == ids[0]
    assert len((await shown(service, f"/v1/invoices/{ids[-1]}/holds"))["items"]) == 1
    for type_, count in ((InvoiceReceivedV1, 14), (DuplicateSuspectedV1, 2), (InvoiceHeldV1, 2)):
        assert len(await service.published(type_)) == count


async def test_each_invoice_has_a_verdict_of_its_own(service: Harness) -> None:
    await a_supplier(service)
    await a_supplier(service, "S9", status="closed")
    known = await received(service, number="K")
    missing = an_invoice("M")
    del missing["number"]
    items = [
        an_invoice("A"),
        an_invoice("K"),
        an_invoice("K", purchase_order_number="other"),
        an_invoice("A"),
        an_invoice("A2", reference="51-A"),
        an_invoice("B", gross_pence=1),
        missing,
        an_invoice("C", supplier={"system": "erp", "reference": "nobody"}),
        an_invoice("D", supplier={"system": "erp", "reference": "S9"}),
        an_invoice("E", supplier=None),
    ]
    async with supplier_service(service):
        answer = await sent(service, "/v1/invoices/bulk", items)
    assert verdicts(answer) == [
        ("created", None),
        ("existing", None),
        ("refused", "source-reference-taken"),
        ("existing", None),
        ("refused", "source-reference-taken"),
        ("refused", "sums-differ"),
        ("refused", "malformed"),
        ("refused", "supplier-not-found"),
        ("refused", "supplier-closed"),
        ("refused", "malformed"),
    ]
    assert answer["items"][1]["id"] == known["id"]
    assert answer["items"][3]["id"] == answer["items"][0]["id"]
    assert [error["field"] for error in answer["items"][2]["errors"]] == ["source.reference", "purchase_order_number"]
    assert len(await service.published(InvoiceReceivedV1)) == 2


async def test_an_invoice_sent_again_is_there_though_its_supplier_was_closed_since(service: Harness) -> None:
    supplier_id = await a_supplier(service)
    known = await received(service)
    await service.deliver(
        SupplierChangedV1(
            version=2,
            occurred_at=NOW,
            by="x",
            supplier_id=supplier_id,
            changed=["status"],
            status="closed",
            payment_terms_days=30,
        )
    )
    async with service.as_("erp") as erp:
        assert (await erp.post("/v1/invoices", json=an_invoice())).status_code == 200
    [again] = (await sent(service, "/v1/invoices/bulk", [an_invoice()]))["items"]
    assert (again["outcome"], again["id"]) == ("existing", known["id"])


async def test_a_supplier_whose_registration_has_not_reached_us_is_asked_for(service: Harness) -> None:
    async with supplier_service(service, known={"S1": "Ardley Paving Ltd"}):
        answer = await sent(service, "/v1/invoices/bulk", [an_invoice("A"), an_invoice("B")])
    assert (answer["created"], answer["refused"]) == (2, 0)


async def test_an_invoice_of_a_held_supplier_is_held_in_bulk_too(service: Harness) -> None:
    supplier_id = await a_supplier(service)
    await service.deliver(SupplierHeldV1(version=2, occurred_at=NOW, by="x", supplier_id=supplier_id, reason="dispute"))
    [one] = (await sent(service, "/v1/invoices/bulk", [an_invoice()]))["items"]
    assert (await shown(service, f"/v1/invoices/{one['id']}"))["hold_reasons"] == ["supplier_held"]


async def test_racing_bulks_of_the_same_invoices_store_each_once(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    items = [an_invoice(f"N{place}") for place in range(40)]
    answers = await asyncio.gather(*(sent(racing_service, "/v1/invoices/bulk", items) for _ in range(4)))
    assert sum(answer["created"] for answer in answers) == 40
    assert sum(answer["existing"] for answer in answers) == 120
    assert len(await racing_service.published(InvoiceReceivedV1)) == 40


async def test_a_bulk_is_repeated_under_its_key(service: Harness) -> None:
    await a_supplier(service)
    key = {"idempotency-key": "night"}
    first = await sent(service, "/v1/invoices/bulk", [an_invoice()], **key)
    assert await sent(service, "/v1/invoices/bulk", [an_invoice()], **key) == first


async def test_approvals_by_the_hundred(service: Harness) -> None:
    await a_supplier(service)
    plain, held, paid = [await received(service, number=f"N{place}") for place in range(3)]
    of_zero = await received(
        service,
        number="Z",
        lines=[{"description": "", "net_pence": 0, "vat_rate": "0", "vat_pence": 0}],
        net_pence=0,
        vat_pence=0,
        gross_pence=0,
    )
    async with service.as_("ap_manager") as manager:
        await manager.post(f"/v1/invoices/{held['id']}/holds", json=a_hold("dispute"))
        await manager.post(f"/v1/invoices/{paid['id']}/approvals")
        own = (await manager.post("/v1/invoices", json=an_invoice("own"))).json()
    ids = [plain["id"], held["id"], paid["id"], own["id"], of_zero["id"], plain["id"], str(uuid4())]
    items: list[dict[str, Any]] = [{"invoice_id": id_} for id_ in ids]
    answer = await sent(service, "/v1/invoices/approvals", [*items, {"invoice": 1}], role="ap_manager")
    assert verdicts(answer) == [
        ("done", None),
        ("refused", "invoice-held"),
        ("refused", "illegal-move"),
        ("refused", "own-request"),
        ("done", None),
        ("refused", "illegal-move"),
        ("refused", "invoice-not-found"),
        ("refused", "malformed"),
    ]
    now = await shown(service, f"/v1/invoices/{plain['id']}")
    assert (now["status"], now["version"], now["approved_by_name"]) == ("approved", 2, "ap_manager")
    assert (await shown(service, f"/v1/invoices/{of_zero['id']}"))["status"] == "paid"
    assert [change["action"] for change in await history_of(service, f"/v1/invoices/{of_zero['id']}")] == [
        "received",
        "approved",
        "settled",
    ]
    assert len(await service.published(InvoiceApprovedV1)) == 3
    async with service.as_("erp") as erp:
        assert (await erp.post("/v1/invoices/approvals", json={"items": items})).status_code == 403


async def test_payments_by_the_hundred_are_what_they_are_one_by_one(service: Harness) -> None:
    await a_supplier(service)
    first, second, third = [await approved(service, number=f"N{place}") for place in range(3)]
    async with service.as_("ap_manager") as manager:
        await manager.post(f"/v1/invoices/{third['id']}/holds", json=a_hold("dispute", placed_on="2026-03-05"))
    items = [
        a_payment(first["id"], paid=100_000, reference="P1"),
        a_payment(first["id"], paid=30_500, reference="P2"),
        a_payment(first["id"], paid=1, reference="P3"),
        a_payment(first["id"], paid=30_500, reference="P2"),
        a_payment(second["id"], paid=30_500, reference="P2"),
        a_payment(second["id"], paid=129_195, deducted=1_305, reference="P4"),
        a_payment(third["id"], reference="P5"),
        a_payment(str(uuid4()), reference="P6"),
        a_payment(second["id"], reference="P7") | {"remitted_on": "2026-03-12"},
        {"invoice_id": first["id"]},
    ]
    answer = await sent(service, "/v1/payments/bulk", items)
    assert verdicts(answer) == [
        ("created", None),
        ("created", None),
        ("created", None),
        ("existing", None),
        ("refused", "source-reference-taken"),
        ("created", None),
        ("created", None),
        ("refused", "invoice-not-found"),
        ("refused", "date-in-future"),
        ("refused", "malformed"),
    ]
    made = [await shown(service, f"/v1/payments/{one['id']}") for one in answer["items"] if one["outcome"] == "created"]
    assert [payment["exceptions"] for payment in made] == [[], [], ["paid_twice"], [], ["held"]]
    assert [sum(s["net_pence"] + s["vat_pence"] for s in payment["vat_shares"]) for payment in made] == [
        100_000,
        30_500,
        0,
        130_500,
        130_500,
    ]
    for invoice, status in ((first, "paid"), (second, "paid"), (third, "held")):
        now = await shown(service, f"/v1/invoices/{invoice['id']}")
        assert (now["status"], now["outstanding_pence"]) == (status, 0)
        versions = [change["version"] for change in await history_of(service, f"/v1/invoices/{invoice['id']}")]
        assert versions == list(range(1, now["version"] + 1))
    events = await service.published(InvoicePaidV1)
    assert [(event.settled, event.disputed) for event in events] == [
        (False, False),
        (True, False),
        (True, False),
        (True, True),
    ]
    assert [event.kind for event in await service.published(PaymentExceptionFoundV1)] == ["paid_twice", "held"]
    again = await sent(service, "/v1/payments/bulk", items[:3])
    assert again["existing"] == 3


async def test_racing_bulks_of_payments_record_each_once(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    invoices = [await approved(racing_service, number=f"N{place}") for place in range(4)]
    # One source names another invoice in each request: whoever comes second is refused, and nothing is lost.
    requests = [
        [
            *(a_payment(invoice["id"], paid=65_250, reference=f"{round_}-{invoice['number']}") for invoice in invoices),
            a_payment(invoices[round_]["id"], paid=5, reference="shared"),
        ]
        for round_ in range(3)
    ]
    answers = await asyncio.gather(*(sent(racing_service, "/v1/payments/bulk", items) for items in requests))
    assert sum(answer["created"] for answer in answers) == 3 * 4 + 1
    assert [one["code"] for answer in answers for one in answer["items"] if one["outcome"] == "refused"] == [
        "source-reference-taken",
        "source-reference-taken",
    ]
    for invoice in invoices:
        now = await shown(racing_service, f"/v1/invoices/{invoice['id']}")
        assert (now["status"], now["outstanding_pence"]) == ("paid", 0)


async def test_a_plain_row_reads_as_a_row_of_the_session(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    async with service.runtime.sessions() as session:
        row = await get_row(session, Invoice, UUID(invoice["id"]))
        values = {column.name: getattr(row, column.name) for column in Invoice.__table__.columns}  # type: ignore[attr-defined]
        plain = plain_row(Invoice, values)
        assert {name: getattr(plain, name) for name in values} == values
        assert (plain.outstanding_pence, plain.is_settled) == (row.outstanding_pence, row.is_settled)
        plain.paid_pence += 500
        assert plain.outstanding_pence == row.outstanding_pence - 500
        await session.commit()
    assert (await shown(service, f"/v1/invoices/{invoice['id']}"))["paid_pence"] == 0
