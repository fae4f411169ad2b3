"""Payments that broke a rule happened all the same: recorded, flagged, worked on, resolved."""

from __future__ import annotations

from typing import Any

import pytest
from council_common.contracts.invoices import (
    InvoicePaidV1,
    PaymentExceptionFoundV1,
    PaymentExceptionResolvedV1,
)
from council_common.contracts.suppliers import BankAccountChangeRequestedV1
from council_common.ids import new_id
from council_common.testing.harness import NOW, Harness
from invoice_stories import (
    a_hold,
    a_payment,
    a_release,
    a_supplier,
    an_invoice,
    approved,
    history_of,
    received,
    shown,
)
from supplier_stand_in import supplier_service


async def paid(service: Harness, invoice: dict[str, Any], **other: Any) -> dict[str, Any]:
    """A payment that the ERP recorded."""
    changed = {name: other.pop(name) for name in ("remitted_on", "arrives_on", "method") if name in other}
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/payments", json=a_payment(invoice["id"], **other) | changed)
    assert answer.status_code == 201, answer.text
    payment: dict[str, Any] = answer.json()
    return payment


async def exceptions_in(service: Harness, query: str = "sort=id") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await shown(service, f"/v1/payment-exceptions?{query}"))["items"]
    return items


async def resolved(service: Harness, found: dict[str, Any], resolution: str, *, role: str = "ap_manager") -> Any:
    path = f"/v1/payment-exceptions/{found['id']}/resolutions"
    async with service.as_(role) as person:
        return await person.post(path, json={"resolution": resolution, "note": "Spoke to the supplier."})


async def test_a_payment_of_a_held_invoice_happened(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    base = f"/v1/invoices/{invoice['id']}"
    async with service.as_("payments_assistant") as assistant:
        hold = (await assistant.post(f"{base}/holds", json=a_hold("dispute", placed_on="2026-03-05"))).json()
    payment = await paid(service, invoice)
    assert payment["exceptions"] == ["held"]
    held = await shown(service, base)
    assert (held["status"], held["outstanding_pence"], held["paid_on"]) == ("held", 0, "2026-03-11")
    [event] = await service.published(InvoicePaidV1)
    assert (event.settled, event.disputed) == (True, True)
    [found] = await service.published(PaymentExceptionFoundV1)
    assert (found.kind, found.recover_pence, found.hold_reasons) == ("held", 0, ["dispute"])
    async with service.as_("payments_assistant") as assistant:
        await assistant.post(f"{base}/holds/{hold['id']}/releases", json=a_release())
    assert (await shown(service, base))["status"] == "paid"
    actions = [(change["version"], change["action"]) for change in await history_of(service, base)]
    assert actions == [
        (1, "received"), (2, "approved"), (3, "held"), (4, "payment recorded"), (5, "payment exception found"),
        (6, "released"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("placed_on", "kind"), [("2026-03-11", "held"), ("2026-03-10", "left_before_hold"), (None, "left_before_hold")]
)
async def test_money_that_left_before_a_hold_is_told_apart(service: Harness, placed_on: str | None, kind: str) -> None:
    """Sent on the 9th: a hold of the 9th or before stood, a later one did not."""
    await a_supplier(service)
    invoice = await approved(service)
    day = "2026-03-09" if kind == "held" else placed_on
    async with service.as_("payments_assistant") as assistant:
        await assistant.post(f"/v1/invoices/{invoice['id']}/holds", json=a_hold("missing_receipt", placed_on=day))
    payment = await paid(service, invoice, remitted_on="2026-03-09", arrives_on="2026-03-11")
    assert payment["exceptions"] == [kind]
    [found] = await exceptions_in(service)
    assert found["hold_reasons"] == ["missing_receipt"]


async def test_a_payment_after_a_bank_change_was_asked_for(service: Harness) -> None:
    supplier_id = await a_supplier(service)
    invoice = await approved(service)
    await service.deliver(
        BankAccountChangeRequestedV1(
            version=2, occurred_at=NOW, by="x", supplier_id=supplier_id, change_id=new_id(), requested_on=NOW.date()
        )
    )
    payment = await paid(service, invoice)
    assert payment["exceptions"] == ["bank_account_change"]
    [found] = await exceptions_in(service, "kind=bank_account_change&status=open")
    # The change was asked for by another; an assistant confirms by telephone which account the money went to.
    assert (await resolved(service, found, "account_confirmed", role="payments_assistant")).status_code == 201


async def test_a_second_payment_is_money_to_recover_and_settles_nothing(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    await paid(service, invoice, paid=129_195, deducted=1_305)
    second = await paid(service, invoice, paid=129_195, deducted=1_305, reference="P2")
    assert (second["exceptions"], second["overpaid_pence"], second["vat_shares"]) == (["paid_twice"], 129_195, [])
    owed = await shown(service, f"/v1/invoices/{invoice['id']}")
    assert (owed["status"], owed["paid_pence"], owed["deducted_pence"]) == ("paid", 129_195, 1_305)
    assert len(await service.published(InvoicePaidV1)) == 1
    [found] = await service.published(PaymentExceptionFoundV1)
    assert (found.kind, found.recover_pence, str(found.payment_id)) == ("paid_twice", 129_195, second["id"])


async def test_a_penny_over_is_recorded_with_its_penny(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    payment = await paid(service, invoice, paid=129_196, deducted=1_305)
    assert (payment["exceptions"], payment["overpaid_pence"]) == (["overpaid"], 1)
    assert sum(share["net_pence"] + share["vat_pence"] for share in payment["vat_shares"]) == 130_500
    [event] = await service.published(InvoicePaidV1)
    assert (event.paid_pence, event.deducted_pence, event.overpaid_pence, event.settled) == (129_195, 1_305, 1, True)
    [found] = await exceptions_in(service, "to_recover=true&recover_pence_from=1&recover_pence_to=1")
    refused = await resolved(service, found, "approved_afterwards")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "resolution")
    assert (await resolved(service, found, "recovered")).json()["status"] == "resolved"


async def test_a_payment_before_receipt_and_without_approval(service: Harness) -> None:
    """A Direct Debit, or a pro forma paid in advance: two rules at once, each resolved for itself."""
    await a_supplier(service)
    invoice = await received(service)
    body = {"remitted_on": "2026-02-20", "arrives_on": None, "method": "direct_debit"}
    payment = await paid(service, invoice, **body)
    assert payment["exceptions"] == ["not_approved", "before_receipt"]
    assert payment["arrives_on"] == "2026-02-20"
    assert (await shown(service, f"/v1/invoices/{invoice['id']}"))["status"] == "paid"
    first, second = await exceptions_in(service)
    assert (await resolved(service, first, "approved_afterwards")).status_code == 201
    assert (await resolved(service, second, "agreed_prepayment")).status_code == 201


async def test_nobody_approves_afterwards_what_they_received_or_paid(service: Harness) -> None:
    await a_supplier(service)
    async with service.as_("ap_manager", "a.jones") as jones, service.as_("payments_assistant", "b.shah") as shah:
        invoice = (await jones.post("/v1/invoices", json=an_invoice())).json()
        assert (await shah.post("/v1/payments", json=a_payment(invoice["id"]))).status_code == 201
        [found] = await exceptions_in(service)
        path = f"/v1/payment-exceptions/{found['id']}/resolutions"
        body = {"resolution": "approved_afterwards", "note": "The Head of Service agreed."}
        for person in (jones, shah):
            refused = await person.post(path, json=body)
            assert (refused.status_code, refused.json()["code"]) == (403, "own-request")
    async with service.as_("ap_manager", "c.mair") as mair, service.as_("erp") as erp:
        assert (await erp.post(path, json=body)).status_code == 403
        assert (await mair.post(path, json={"resolution": "approved_afterwards"})).status_code == 422
        assert (await mair.post(path, json=body | {"resolution": "payment_returned"})).status_code == 422
        done = await mair.post(path, json=body)
        again = await mair.post(path, json=body)
    assert (done.status_code, done.json()["resolved_by_name"]) == (201, "c.mair")
    assert (again.status_code, again.json()["code"]) == (409, "illegal-move")
    [*_, last] = await history_of(service, f"/v1/payment-exceptions/{found['id']}")
    assert (last["action"], last["reason"], last["detail"]["note"]) == (
        "resolved", "approved_afterwards", "The Head of Service agreed.",
    )  # fmt: skip
    [event] = await service.published(PaymentExceptionResolvedV1)
    assert (event.resolution, event.kind) == ("approved_afterwards", "not_approved")


async def test_what_is_paid_on_a_cancelled_invoice_or_a_credit_note_is_to_be_recovered(service: Harness) -> None:
    await a_supplier(service)
    cancelled = await received(service)
    async with service.as_("ap_manager") as manager:
        gone = await manager.post(f"/v1/invoices/{cancelled['id']}/cancellations", json=a_hold("duplicate"))
    assert gone.json()["outstanding_pence"] == 0
    lines = [{"description": "", "net_pence": -5, "vat_rate": "0", "vat_pence": 0}]
    amounts = {"net_pence": -5, "vat_pence": 0, "gross_pence": -5}
    note = await received(service, number="4", kind="credit_note", lines=lines, **amounts)
    first = await paid(service, cancelled)
    second = await paid(service, note, paid=5, reference="P2")
    assert (first["exceptions"], first["overpaid_pence"]) == (["invoice_ended"], 130_500)
    assert (second["exceptions"], second["overpaid_pence"]) == (["credit_note_paid"], 5)
    assert await service.published(InvoicePaidV1) == []
    assert (await shown(service, f"/v1/invoices/{note['id']}"))["outstanding_pence"] == -5


async def test_a_return_resolves_what_was_open_and_lets_the_second_payment_settle(service: Harness) -> None:
    """The first of two payments came back: the second is the one that counts, and nothing is to recover."""
    await a_supplier(service)
    invoice = await approved(service)
    first = await paid(service, invoice)
    second = await paid(service, invoice, reference="P2")
    body = {"reason": "5", "returned_on": "2026-03-11"}
    async with service.as_("erp") as erp:
        assert (await erp.post(f"/v1/payments/{first['id']}/returns", json=body)).status_code == 201
    now = await shown(service, f"/v1/payments/{second['id']}")
    assert (now["overpaid_pence"], sum(s["net_pence"] + s["vat_pence"] for s in now["vat_shares"])) == (0, 130_500)
    owed = await shown(service, f"/v1/invoices/{invoice['id']}")
    assert (owed["status"], owed["outstanding_pence"]) == ("paid", 0)
    events = await service.published(InvoicePaidV1)
    assert [str(event.payment_id) for event in events] == [first["id"], second["id"]]
    [found] = await exceptions_in(service)
    assert (found["status"], found["resolution"]) == ("resolved", "settles_instead")
    async with service.as_("erp") as erp:
        assert (await erp.post(f"/v1/payments/{second['id']}/returns", json=body)).status_code == 201
    assert (await shown(service, f"/v1/invoices/{invoice['id']}"))["outstanding_pence"] == 130_500


async def test_a_returned_payment_of_an_invoice_never_approved_is_to_be_approved(service: Harness) -> None:
    await a_supplier(service)
    invoice = await received(service)
    payment = await paid(service, invoice)
    body = {"reason": "5", "returned_on": "2026-03-11"}
    async with service.as_("erp") as erp:
        assert (await erp.post(f"/v1/payments/{payment['id']}/returns", json=body)).status_code == 201
    owed = await shown(service, f"/v1/invoices/{invoice['id']}")
    assert (owed["status"], owed["outstanding_pence"]) == ("received", 130_500)
    [found] = await exceptions_in(service, "resolution=payment_returned")
    assert found["kind"] == "not_approved"


async def test_exceptions_are_a_work_list(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    for number in range(3):
        await paid(service, invoice, paid=130_500 + number, reference=f"P{number}")
    found = await exceptions_in(service, f"invoice_id={invoice['id']}&sort=-recover_pence&kind=paid_twice")
    assert [one["recover_pence"] for one in found] == [130_502, 130_501]
    page = await shown(service, "/v1/payment-exceptions?limit=1")
    rest = await shown(service, f"/v1/payment-exceptions?limit=1&cursor={page['next']}")
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (1, 1, None)
    assert len((await shown(service, "/v1/payments?exception=paid_twice"))["items"]) == 2
    assert len((await shown(service, "/v1/payments?has_exceptions=false"))["items"]) == 1
    async with supplier_service(service), service.as_("auditor") as auditor:
        lines = (await auditor.get("/v1/payment-exceptions/export.csv?sort=recover_pence")).text.splitlines()
    assert [",1305.01," in lines[1], ",1305.02," in lines[2], len(lines)] == [True, True, 3]
