"""Every invoice and every penny: what the sample sent against what invoice-service holds, status by status."""

from __future__ import annotations

from collections import Counter

from demo.council_api import Council
from demo.proofs.proof import Proof
from demo.sample_council.facts import Fate, Invoice, SampleCouncil
from demo.steps import pence
from demo.stories.paying import finally_paid
from demo.stories.receiving import invoices_known

STATUS = {
    Fate.DISPUTED: "held",
    Fate.DUPLICATE: "cancelled",
    Fate.APPROVED: "approved",
    Fate.RECEIVED: "received",
    Fate.WAITS_FOR_NEW_ACCOUNT: "held",
}


async def prove_invoices(council: Council, sample: SampleCouncil) -> list[Proof]:
    """Numbers and sums by status; paid and deducted together are what the sample's payments settle."""
    known = await invoices_known(council)
    waiting = {row["status"] for row in _rows(known, sample.invoices_with(Fate.WAITS_FOR_NEW_ACCOUNT))}
    # The cooling-off ends after three working days of the real calendar; then the invoices are free to be paid.
    status = STATUS | ({Fate.WAITS_FOR_NEW_ACCOUNT: "approved"} if waiting == {"approved"} else {})
    wanted_count: Counter[str] = Counter()
    wanted_pence: Counter[str] = Counter()
    for invoice in sample.invoices:
        wanted_count[status.get(invoice.fate, "paid")] += 1
        wanted_pence[status.get(invoice.fate, "paid")] += invoice.gross_pence
    found_count = Counter(row["status"] for row in known.values())
    found_pence: Counter[str] = Counter()
    for row in known.values():
        found_pence[row["status"]] += pence(row["gross_pounds"])
    settled = sum(pence(row["paid_pounds"]) + pence(row["deducted_pounds"]) for row in known.values())
    to_settle = sum(payment.settles_pence for invoice in sample.invoices for payment in finally_paid(invoice))
    proofs = [Proof("invoices", len(known), len(sample.invoices))]
    for name in sorted({*wanted_count, *found_count}):
        proofs.append(Proof(f"invoices {name}", found_count[name], wanted_count[name]))
        proofs.append(Proof(f"gross of invoices {name}", found_pence[name], wanted_pence[name], money=True))
    return [*proofs, Proof("paid to suppliers and deducted from them", settled, to_settle, money=True)]


def _rows(known: dict[str, dict[str, str]], invoices: list[Invoice]) -> list[dict[str, str]]:
    return [known[invoice.reference] for invoice in invoices if invoice.reference in known]
