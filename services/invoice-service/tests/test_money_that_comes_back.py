"""Payments come back after credit notes were applied, or after a second payment was recovered: nothing is lost."""

from __future__ import annotations

from typing import Any

from council_common.testing.harness import Harness
from invoice_stories import a_supplier, approved, shown
from test_credit_notes import a_note, apply, priced
from test_payment_exceptions import exceptions_in, paid, resolved

BACK = {"reason": "5", "returned_on": "2026-03-11"}


async def returned(service: Harness, payment: dict[str, Any]) -> None:
    async with service.as_("erp") as erp:
        assert (await erp.post(f"/v1/payments/{payment['id']}/returns", json=BACK)).status_code == 201


async def test_a_return_of_what_a_credit_note_covers_leaves_the_invoice_settled(service: Harness) -> None:
    """£240 and £960 were paid, £240 credited; the £240 come back: the credit note stands in their place."""
    await a_supplier(service)
    invoice, note = await approved(service, **priced(100_000)), await a_note(service)
    first = await paid(service, invoice, paid=24_000)
    await paid(service, invoice, paid=96_000, reference="P2")
    await apply(service, note, invoice)
    await returned(service, first)
    now = await shown(service, f"/v1/invoices/{invoice['id']}")
    assert (now["outstanding_pence"], now["status"]) == (0, "paid")


async def test_a_payment_that_settles_in_part_instead_is_to_be_recovered_for_the_rest(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service, **priced(100_000))
    first = await paid(service, invoice, paid=120_000)
    second = await paid(service, invoice, paid=130_000, reference="P2")
    await returned(service, first)
    [found] = await exceptions_in(service)
    now = await shown(service, f"/v1/payments/{second['id']}")
    assert (now["overpaid_pence"], found["status"], found["recover_pence"]) == (10_000, "open", 10_000)


async def test_a_second_payment_that_was_recovered_settles_nothing_instead(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service, **priced(100_000))
    first = await paid(service, invoice, paid=120_000)
    await paid(service, invoice, paid=120_000, reference="P2")
    [found] = await exceptions_in(service)
    await resolved(service, found, "recovered")
    await returned(service, first)
    now = await shown(service, f"/v1/invoices/{invoice['id']}")
    assert (now["outstanding_pence"], now["status"]) == (120_000, "approved")


async def test_what_a_supplier_gave_back_for_a_credit_note_is_owed_again_without_its_rebate(service: Harness) -> None:
    """£237.60 were given back for £240.00 of £1,200.00; the payment comes back: £960.00 and £237.60 are owed."""
    await a_supplier(service)
    invoice, note = await approved(service, **priced(100_000)), await a_note(service)
    payment = await paid(service, invoice, paid=118_800, deducted=1_200)
    made = (await apply(service, note, invoice)).json()
    body = {"reason": "received", "refunded_on": "2026-03-11", "note": "On the statement."}
    async with service.as_("payments_assistant") as assistant:
        await assistant.post(f"/v1/credit-note-applications/{made['id']}/refunds", json=body)
    await returned(service, payment)
    now = await shown(service, f"/v1/invoices/{invoice['id']}")
    assert (now["outstanding_pence"], now["paid_pence"], now["deducted_pence"]) == (119_760, -23_760, 0)
