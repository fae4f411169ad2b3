"""The ERP pays: it asks what to deduct, records what it paid; one payment comes back and is made again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demo.council_api import Council, for_each
from demo.linear_rebate import amounts_of
from demo.sample_council.days import Month
from demo.sample_council.facts import SOURCE, Fate, Invoice, Payment, SampleCouncil
from demo.steps import Steps
from demo.stories.receiving import invoices_known

QUOTES_AT_ONCE = 250
SHORT_BY_PENCE = 100
RETURNED_DAYS_BEFORE = 12
NO_SUCH_ACCOUNT = "5"

Planned = tuple[Invoice, Payment]


async def pay(council: Council, sample: SampleCouncil, ids: dict[str, str], steps: Steps) -> None:
    """First payments, then the one that came back, then second payments: each once."""
    made = await payments_known(council)
    known = await invoices_known(council)
    planned = [(invoice, payment) for invoice in sample.invoices for payment in invoice.payments]
    left = [(invoice, payment) for invoice, payment in planned if payment.reference not in made]
    with steps.step("Payments with their rebates deducted", len(left)) as tick:
        deductions = await quoted(
            council, [(invoice, payment) for invoice, payment in left if invoice.supplier.terms], ids
        )

        async def record(planned_payment: Planned) -> None:
            invoice, payment = planned_payment
            deducted = deductions.get(payment.reference, 0)
            if invoice.fate is Fate.UNDER_DEDUCTED:
                deducted -= SHORT_BY_PENCE
            body = _payment_payload(known[invoice.reference]["id"], payment, deducted)
            await council.erp.post("/v1/payments", body, key=f"sample-payment-{payment.reference}")

        first = [(invoice, payment) for invoice, payment in left if payment is invoice.payments[0]]
        await for_each(first, record, tick=tick)
        for invoice in sample.invoices_with(Fate.RETURNED_AND_REPAID):
            await _return_first(council, invoice, sample.month)
        second = [(invoice, payment) for invoice, payment in left if payment is not invoice.payments[0]]
        await for_each(second, record, tick=tick)


async def payments_known(council: Council) -> dict[str, dict[str, Any]]:
    """The sample's payments as invoice-service has them now, by the ERP's reference."""
    found = council.auditor.items("/v1/payments", source_system=SOURCE)
    return {payment["source"]["reference"]: payment async for payment in found}


async def quoted(council: Council, planned: Sequence[Planned], ids: dict[str, str]) -> dict[str, int]:
    """What rebate-service says is to be deducted, by payment."""
    deductions: dict[str, int] = {}
    for start in range(0, len(planned), QUOTES_AT_ONCE):
        batch = planned[start : start + QUOTES_AT_ONCE]
        request = {"items": [_question(invoice, payment, ids) for invoice, payment in batch]}
        answer = await council.erp.post("/v1/rebate-quotes/bulk", request)
        for (_, payment), verdict in zip(batch, answer["items"], strict=True):
            deductions[payment.reference] = verdict["quote"]["deduct_pence"]
    return deductions


def _question(invoice: Invoice, payment: Payment, ids: dict[str, str]) -> dict[str, Any]:
    amounts = amounts_of(invoice, payment.settles_pence)
    return {
        "supplier_id": ids[invoice.supplier.reference],
        "received_on": invoice.received_on.isoformat(),
        "remitted_on": payment.remitted_on.isoformat(),
        "arrives_on": payment.arrives_on.isoformat(),
        "vat_shares": [
            {"vat_rate": str(amount.vat_rate), "net_pence": amount.net_pence, "vat_pence": amount.vat_pence}
            for amount in amounts
        ],
    }


def _payment_payload(invoice_id: str, payment: Payment, deducted_pence: int) -> dict[str, Any]:
    return {
        "invoice_id": invoice_id,
        "source": {"system": SOURCE, "reference": payment.reference},
        "remitted_on": payment.remitted_on.isoformat(),
        "arrives_on": payment.arrives_on.isoformat(),
        "paid_pence": payment.settles_pence - deducted_pence,
        "deducted_pence": deducted_pence,
        "method": "bacs",
        "reference": payment.reference,
    }


async def _return_first(council: Council, invoice: Invoice, month: Month) -> None:
    """The bank sends the first payment back (no such account); the invoice is owed again."""
    payment = (await payments_known(council))[invoice.payments[0].reference]
    if payment["status"] == "made":
        returned_on = month.working_days_before(RETURNED_DAYS_BEFORE).isoformat()
        body = {"reason": NO_SUCH_ACCOUNT, "returned_on": returned_on}
        await council.erp.post(f"/v1/payments/{payment['id']}/returns", body, key=f"sample-return-{payment['id']}")


def finally_paid(invoice: Invoice) -> Sequence[Payment]:
    """The payments that stand at the end of the month: what came back is not among them."""
    return invoice.payments[1:] if invoice.fate is Fate.RETURNED_AND_REPAID else invoice.payments
