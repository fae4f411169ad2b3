"""Nothing stays open for ever: credit notes are applied or refunded, an invoice of zero settles, a cancelled one
owes nothing."""

from __future__ import annotations

import asyncio
from typing import Any

from council_common.contracts.invoices import (
    CreditNoteAppliedV1,
    CreditNoteRefundedV1,
    InvoiceApprovedV1,
    InvoicePaidV1,
    InvoiceSettledV1,
)
from council_common.testing.harness import Harness
from invoice_stories import a_hold, a_payment, a_supplier, an_invoice, approved, history_of, received, shown

OF_ZERO: dict[str, Any] = {
    "lines": [
        {"description": "Hire", "net_pence": 10_000, "vat_rate": "20", "vat_pence": 2_000},
        {"description": "Voucher", "net_pence": -10_000, "vat_rate": "20", "vat_pence": -2_000},
    ],
    "net_pence": 0, "vat_pence": 0, "gross_pence": 0,
}  # fmt: skip


def priced(net_pence: int, **other: Any) -> dict[str, Any]:
    """An invoice, or a credit note, of one line at 20 %."""
    vat = net_pence // 5
    line = {"description": "Paving", "net_pence": net_pence, "vat_rate": "20", "vat_pence": vat}
    kind = "invoice" if net_pence >= 0 else "credit_note"
    return {
        "kind": kind,
        "lines": [line],
        "net_pence": net_pence,
        "vat_pence": vat,
        "gross_pence": net_pence + vat,
    } | other


async def a_note(service: Harness, net_pence: int = -20_000, **other: Any) -> dict[str, Any]:
    """A credit note of £240.00 that the ERP posted."""
    return await received(service, **({"number": "CN-1"} | priced(net_pence) | other))


async def apply(service: Harness, note: dict[str, Any], invoice: dict[str, Any] | None, **other: Any) -> Any:
    body = {"credit_note_id": note["id"], "note": "Two slabs were taken back."} | other
    if invoice is not None:
        body["invoice_id"] = invoice["id"]
    async with service.as_("ap_manager") as manager:
        return await manager.post("/v1/credit-note-applications", json=body)


async def test_before_payment_a_credit_note_lowers_what_is_owed(service: Harness) -> None:
    await a_supplier(service)
    invoice, note = await approved(service, **priced(100_000)), await a_note(service)
    answer = await apply(service, note, invoice)
    made = answer.json()
    assert (answer.status_code, made["applied_pence"], made["after_payment"], made["status"]) == (
        201, 24_000, False, "applied",
    )  # fmt: skip
    assert [(share["net_pence"], share["vat_pence"]) for share in made["vat_shares"]] == [(20_000, 4_000)]
    owed = await shown(service, f"/v1/invoices/{invoice['id']}")
    assert (owed["outstanding_pence"], owed["credited_pence"], owed["status"]) == (96_000, 24_000, "approved")
    used = await shown(service, f"/v1/invoices/{note['id']}")
    assert (used["outstanding_pence"], used["credited_pence"], used["status"]) == (0, -24_000, "paid")
    [event] = await service.published(CreditNoteAppliedV1)
    assert (str(event.invoice_id), event.outstanding_pence, event.settled) == (invoice["id"], 96_000, False)
    async with service.as_("erp") as erp:
        paid = await erp.post("/v1/payments", json=a_payment(invoice["id"], paid=95_040, deducted=960))
    assert (paid.json()["exceptions"], (await shown(service, f"/v1/invoices/{invoice['id']}"))["status"]) == (
        [],
        "paid",
    )
    [of_payment] = await service.published(InvoicePaidV1)
    assert [(share.net_pence, share.vat_pence) for share in of_payment.vat_shares] == [(80_000, 16_000)]


async def test_after_payment_the_supplier_gives_back_its_part_of_the_money(service: Harness) -> None:
    """£240 of £1,200 paid as £1,188.00 with £12.00 deducted: £237.60, and £2.40 of the rebate."""
    await a_supplier(service)
    invoice, note = await approved(service, **priced(100_000)), await a_note(service)
    async with service.as_("erp") as erp:
        await erp.post("/v1/payments", json=a_payment(invoice["id"], paid=118_800, deducted=1_200))
    made = (await apply(service, note, invoice)).json()
    assert (made["after_payment"], made["due_back_pence"], made["deducted_pence"], made["status"]) == (
        True, 23_760, 240, "refund_due",
    )  # fmt: skip
    now = await shown(service, f"/v1/invoices/{invoice['id']}")
    assert (now["status"], now["outstanding_pence"], now["paid_pence"], now["deducted_pence"]) == (
        "paid", 0, 95_040, 960,
    )  # fmt: skip
    assert [one["id"] for one in (await shown(service, "/v1/credit-note-applications?status=refund_due"))["items"]] == [
        made["id"]
    ]
    path = f"/v1/credit-note-applications/{made['id']}/refunds"
    body = {"reason": "received", "refunded_on": "2026-03-11", "note": "On the statement of the 11th."}
    async with service.as_("payments_assistant") as assistant:
        early = await assistant.post(path, json=body | {"refunded_on": "2026-03-01"})
        done = await assistant.post(path, json=body)
        again = await assistant.post(path, json=body)
    assert (early.status_code, early.json()["code"]) == (422, "date-too-early")
    assert (done.status_code, done.json()["status"], again.status_code) == (201, "refunded", 409)
    [event] = await service.published(CreditNoteRefundedV1)
    assert (str(event.invoice_id), event.refunded_pence, event.reason) == (note["id"], 23_760, "received")


async def test_a_return_after_a_credit_leaves_the_netted_amount_owed(service: Harness) -> None:
    await a_supplier(service)
    invoice, note = await approved(service, **priced(100_000)), await a_note(service)
    async with service.as_("erp") as erp:
        payment = (await erp.post("/v1/payments", json=a_payment(invoice["id"], paid=118_800, deducted=1_200))).json()
        made = (await apply(service, note, invoice)).json()
        body = {"reason": "5", "returned_on": "2026-03-11"}
        assert (await erp.post(f"/v1/payments/{payment['id']}/returns", json=body)).status_code == 201
        owed = await shown(service, f"/v1/invoices/{invoice['id']}")
        assert (owed["status"], owed["outstanding_pence"]) == ("approved", 96_000)
        now = await shown(service, f"/v1/credit-note-applications/{made['id']}")
        assert (now["status"], now["due_back_pence"]) == ("applied", 0)
        again = a_payment(invoice["id"], paid=96_000, reference="P2")
        assert (await erp.post("/v1/payments", json=again)).json()["exceptions"] == []
    *_, event = await service.published(InvoicePaidV1)
    assert [(share.net_pence, share.vat_pence) for share in event.vat_shares] == [(80_000, 16_000)]


async def test_a_note_and_an_invoice_of_one_amount_settle_each_other(service: Harness) -> None:
    """Case H3, with an invoice that was received and not approved: nothing is left to approve."""
    await a_supplier(service)
    invoice, note = await received(service, **priced(20_000)), await a_note(service)
    assert (await apply(service, note, invoice)).status_code == 201
    for thing in (invoice, note):
        now = await shown(service, f"/v1/invoices/{thing['id']}")
        assert (now["status"], now["outstanding_pence"]) == ("paid", 0)
    assert (await shown(service, "/v1/invoices?open=true"))["items"] == []
    assert [change["action"] for change in await history_of(service, f"/v1/invoices/{invoice['id']}")] == [
        "received", "credited",
    ]  # fmt: skip


async def test_a_note_is_refunded_or_applied_in_parts_to_the_penny(service: Harness) -> None:
    await a_supplier(service)
    lines = [
        {"description": "", "net_pence": -3_333, "vat_rate": "20", "vat_pence": -667},
        {"description": "", "net_pence": -101, "vat_rate": "5", "vat_pence": -5},
    ]
    note = await a_note(service, lines=lines, net_pence=-3_434, vat_pence=-672, gross_pence=-4_106)
    invoice = await approved(service, **priced(100_000))
    first = (await apply(service, note, invoice, applied_pence=1_111)).json()
    second = (await apply(service, note, None, applied_pence=995)).json()
    third = (await apply(service, note, None)).json()
    sums = {"20": [0, 0], "5": [0, 0]}
    for share in (share for one in (first, second, third) for share in one["vat_shares"]):
        sums[share["vat_rate"]][0] += share["net_pence"]
        sums[share["vat_rate"]][1] += share["vat_pence"]
    assert sums == {"20": [3_333, 667], "5": [101, 5]}
    assert (second["status"], second["due_back_pence"], third["due_back_pence"]) == ("refund_due", 995, 2_000)
    more = await apply(service, note, invoice)
    assert (more.status_code, more.json()["code"]) == (409, "credit-note-not-usable")


async def test_what_a_credit_note_may_not_do(service: Harness) -> None:
    await a_supplier(service)
    await a_supplier(service, "S2")
    invoice, note = await approved(service, **priced(100_000)), await a_note(service)
    others = {"supplier": {"system": "erp", "reference": "S2"}, "number": "X"}
    other, small = (
        await received(service, **priced(100_000), **others),
        await received(service, **priced(100, number="S")),
    )
    gone = await received(service, **priced(100, number="G"))
    held = await a_note(service, number="CN-2")
    async with service.as_("ap_manager") as manager:
        await manager.post(f"/v1/invoices/{gone['id']}/cancellations", json=a_hold("duplicate"))
        await manager.post(f"/v1/invoices/{held['id']}/holds", json=a_hold("dispute"))
    for of, to, changed, code in (
        (invoice, invoice, {}, "not-a-credit-note"),
        (held, invoice, {}, "credit-note-not-usable"),
        (note, other, {}, "credit-not-applicable"),
        (note, gone, {}, "credit-not-applicable"),
        (note, held, {}, "credit-not-applicable"),
        (note, invoice, {"applied_pence": 24_001}, "credit-exceeds"),
        (note, small, {"applied_pence": 121}, "credit-exceeds"),
        (note, None, {"applied_pence": 24_001}, "credit-exceeds"),
    ):
        answer = await apply(service, of, to, **changed)
        assert (answer.status_code, answer.json()["code"]) == (409, code), answer.text
    async with service.as_("ap_manager", "a.jones") as jones, service.as_("erp") as erp:
        own = (await jones.post("/v1/invoices", json=an_invoice("CN-9", **priced(-100)))).json()
        body = {"credit_note_id": own["id"], "invoice_id": invoice["id"], "note": "Mine."}
        assert (await jones.post("/v1/credit-note-applications", json=body)).json()["code"] == "own-request"
        assert (await erp.post("/v1/credit-note-applications", json=body)).status_code == 403
    assert await service.published(CreditNoteAppliedV1) == []


async def test_racing_applications_use_a_note_once(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    note = await a_note(racing_service)
    invoices = [await received(racing_service, **priced(15_000, number=f"N{place}")) for place in range(4)]
    answers = await asyncio.gather(*(apply(racing_service, note, invoice) for invoice in invoices))
    made = [answer.json()["applied_pence"] for answer in answers if answer.status_code == 201]
    assert (sorted(made), {answer.status_code for answer in answers}) == ([6_000, 18_000], {201, 409})


async def test_an_invoice_of_zero_settles_when_it_is_approved(service: Harness) -> None:
    """Case H2."""
    await a_supplier(service)
    invoice = await received(service, **OF_ZERO)
    assert [one["id"] for one in (await shown(service, "/v1/invoices?open=true"))["items"]] == [invoice["id"]]
    async with service.as_("ap_manager") as manager:
        done = (await manager.post(f"/v1/invoices/{invoice['id']}/approvals")).json()
    assert (done["status"], done["paid_on"], done["outstanding_pence"]) == ("paid", "2026-03-11", 0)
    assert (await shown(service, "/v1/invoices?open=true"))["items"] == []
    [approval], [settled] = await service.published(InvoiceApprovedV1), await service.published(InvoiceSettledV1)
    assert (approval.version, settled.version, str(settled.settled_on)) == (2, 3, "2026-03-11")


async def test_a_cancelled_invoice_owes_nothing_in_lists(service: Harness) -> None:
    await a_supplier(service)
    invoice, other = await received(service), await received(service, number="2")
    async with service.as_("ap_manager") as manager:
        await manager.post(f"/v1/invoices/{invoice['id']}/cancellations", json=a_hold("duplicate"))
    [gone] = (await shown(service, "/v1/invoices?status=cancelled"))["items"]
    assert gone["outstanding_pence"] == 0
    assert [one["id"] for one in (await shown(service, "/v1/invoices?open=true"))["items"]] == [other["id"]]
    assert [one["id"] for one in (await shown(service, "/v1/invoices?open=false"))["items"]] == [invoice["id"]]
