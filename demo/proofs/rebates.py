"""Rebates recomputed from the sample's own facts, payment by payment, against what rebate-service says."""

from __future__ import annotations

from dataclasses import dataclass

from demo.council_api import Council
from demo.linear_rebate import earned_pence, expected_pence
from demo.proofs.proof import Proof
from demo.sample_council.facts import Fate, SampleCouncil
from demo.steps import pence
from demo.stories.paying import SHORT_BY_PENCE, finally_paid, payments_known


@dataclass(frozen=True)
class Recomputed:
    """What a payment must have been worth."""

    earned_pence: int
    expected_pence: int
    deducted_pence: int


def recompute(sample: SampleCouncil) -> dict[str, Recomputed]:
    """Every standing payment to a supplier in the programme, by the ERP's reference."""
    found = {}
    for invoice in sample.invoices:
        if invoice.supplier.terms is None:
            continue
        for payment in finally_paid(invoice):
            earned = earned_pence(invoice, payment)
            deducted = earned if invoice.supplier.terms.collection == "deduct_at_source" else 0
            deducted -= SHORT_BY_PENCE if invoice.fate is Fate.UNDER_DEDUCTED else 0
            found[payment.reference] = Recomputed(earned, expected_pence(invoice, payment), deducted)
    return found


async def prove_rebates(council: Council, sample: SampleCouncil) -> list[Proof]:
    """Each rebate, their sum, the programme's figures and the one variance."""
    recomputed = recompute(sample)
    references = {payment["id"]: reference for reference, payment in (await payments_known(council)).items()}
    first, last = sample.month.first_shown.isoformat(), sample.month.last_day.isoformat()
    rows = await council.coordinator.rows("/v1/rebates/export.csv", received_from=first, received_to=last)
    assessed = {
        references[row["payment_id"]]: pence(row["rebate_pounds"])
        for row in rows
        if row["payment_id"] in references and row["status"] in {"earned", "missed"}
    }
    same = sum(assessed.get(reference) == one.earned_pence for reference, one in recomputed.items())
    kpis = (await council.coordinator.get("/v1/programme-kpis", **{"from": first, "to": last}))["total"]
    variances = [one async for one in council.coordinator.items("/v1/rebate-variances", cause="under_deducted")]
    sums = {
        name: sum(getattr(one, name) for one in recomputed.values())
        for name in ("earned_pence", "expected_pence", "deducted_pence")
    }
    return [
        Proof("rebates assessed = payments to suppliers in the programme", len(assessed), len(recomputed)),
        Proof("rebates equal to the sum in fractions, to the penny", same, len(recomputed)),
        Proof("sum of /v1/rebates", sum(assessed.values()), sums["earned_pence"], money=True),
        Proof("programme KPIs: earned", kpis["earned_pence"], sums["earned_pence"], money=True),
        Proof("programme KPIs: expected", kpis["expected_pence"], sums["expected_pence"], money=True),
        Proof("programme KPIs: deducted", kpis["deducted_pence"], sums["deducted_pence"], money=True),
        Proof("the one variance, deducted less earned", sum(one["difference_pence"] for one in variances),
              -SHORT_BY_PENCE, money=True),
    ]  # fmt: skip
