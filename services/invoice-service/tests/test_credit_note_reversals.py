"""Taking back a credit note application: with a reason, a visible trail and an event."""

from __future__ import annotations

from typing import Any

from council_common.contracts.invoices import CreditNoteApplicationReversedV1, InvoicePaidV1
from council_common.testing.harness import Harness
from invoice_stories import a_payment, a_supplier, an_invoice, approved, history_of, shown
from test_credit_notes import a_note, apply, priced

WHY = {"reason": "wrong_invoice", "note": "It was for the invoice of February."}


async def reverse(service: Harness, application: dict[str, Any], role: str = "ap_manager", **other: Any) -> Any:
    async with service.as_(role, "B. Lee") as officer:
        path = f"/v1/credit-note-applications/{application['id']}/reversals"
        return await officer.post(path, json=WHY | other)


async def test_taking_back_a_credit_note_application(service: Harness) -> None:
    await a_supplier(service)
    invoice, note = await approved(service, **priced(100_000)), await a_note(service)
    made = (await apply(service, note, invoice)).json()
    assert (await reverse(service, made, role="auditor")).status_code == 403
    assert (await reverse(service, made, reason="because")).status_code == 422
    done = await reverse(service, made)
    assert (done.status_code, done.json()["status"], done.json()["reversal_reason"]) == (
        201,
        "reversed",
        "wrong_invoice",
    )
    assert (done.json()["reversed_by_name"], done.json()["reversed_on"]) == ("B. Lee", "2026-03-11")
    again = await reverse(service, made)
    assert (again.status_code, again.json()["code"]) == (409, "illegal-move")
    for thing, owed, credited, status in ((invoice, 120_000, 0, "approved"), (note, -24_000, 0, "received")):
        now = await shown(service, f"/v1/invoices/{thing['id']}")
        assert (now["outstanding_pence"], now["credited_pence"], now["status"]) == (owed, credited, status)
        *_, change = await history_of(service, f"/v1/invoices/{thing['id']}")
        assert (change["reason"], change["detail"]["note"], change["by_name"]) == (*WHY.values(), "B. Lee")
    [event] = await service.published(CreditNoteApplicationReversedV1)
    assert (str(event.invoice_id), event.reversed_pence, event.outstanding_pence) == (invoice["id"], 24_000, 120_000)
    assert [(share.net_pence, share.vat_pence) for share in event.vat_shares] == [(20_000, 4_000)]
    other = await approved(service, **priced(50_000, number="FEB"))
    assert (await apply(service, note, other)).status_code == 201
    async with service.as_("erp") as erp:
        assert (await erp.post("/v1/payments", json=a_payment(invoice["id"], paid=120_000))).json()["exceptions"] == []
    [paid] = await service.published(InvoicePaidV1)
    assert [(share.net_pence, share.vat_pence) for share in paid.vat_shares] == [(100_000, 20_000)]


async def test_an_invoice_paid_meanwhile_owes_the_credit_again(service: Harness) -> None:
    await a_supplier(service)
    invoice, note = await approved(service, **priced(100_000)), await a_note(service)
    made = (await apply(service, note, invoice)).json()
    async with service.as_("erp") as erp:
        await erp.post("/v1/payments", json=a_payment(invoice["id"], paid=96_000))
        assert (await shown(service, f"/v1/invoices/{invoice['id']}"))["status"] == "paid"
        assert (await reverse(service, made)).status_code == 201
        now = await shown(service, f"/v1/invoices/{invoice['id']}")
        assert (now["status"], now["outstanding_pence"], now["paid_on"]) == ("approved", 24_000, None)
        rest = a_payment(invoice["id"], paid=24_000, reference="P2")
        assert (await erp.post("/v1/payments", json=rest)).json()["exceptions"] == []
    *_, event = await service.published(InvoicePaidV1)
    assert ([(share.net_pence, share.vat_pence) for share in event.vat_shares], event.settled) == (
        [(20_000, 4_000)],
        True,
    )


async def test_what_followed_from_an_application_is_undone_first(service: Harness) -> None:
    await a_supplier(service)
    invoice, note = await approved(service, **priced(100_000)), await a_note(service)
    async with service.as_("erp") as erp, service.as_("payments_assistant") as assistant:
        payment = (await erp.post("/v1/payments", json=a_payment(invoice["id"], paid=118_800, deducted=1_200))).json()
        made = (await apply(service, note, invoice)).json()
        refused = await reverse(service, made)
        assert (refused.status_code, refused.json()["code"]) == (409, "credit-after-payment")
        back = {"reason": "5", "returned_on": "2026-03-11"}
        assert (await erp.post(f"/v1/payments/{payment['id']}/returns", json=back)).status_code == 201
        assert (await reverse(service, made)).status_code == 201
        owed = await shown(service, f"/v1/invoices/{invoice['id']}")
        assert (owed["status"], owed["outstanding_pence"]) == ("approved", 120_000)
        due = (await apply(service, note, None)).json()
        path = f"/v1/credit-note-applications/{due['id']}/refunds"
        refund = {"reason": "received", "refunded_on": "2026-03-11", "note": "On the statement."}
        assert (await assistant.post(path, json=refund)).status_code == 201
        assert (await reverse(service, due)).json()["code"] == "illegal-move"
    async with service.as_("ap_manager", "a.jones") as jones:
        own = (await jones.post("/v1/invoices", json=an_invoice("CN-9", **priced(-100)))).json()
        mine = (await apply(service, own, invoice)).json()
        answer = await jones.post(f"/v1/credit-note-applications/{mine['id']}/reversals", json=WHY)
    assert answer.json()["code"] == "own-request"
