"""Suppliers come in from the ERP, and 45 of them agree to early payment."""

from __future__ import annotations

from datetime import date
from typing import Any

from demo.council_api import Council, Refused, for_each, until
from demo.sample_council.days import Month
from demo.sample_council.facts import SOURCE, SampleCouncil, Supplier
from demo.steps import Steps

OWNER = "e.price"
# A call-back is made on a number held for ninety days at least: this one is old.
PHONE_SINCE = "2019-04-01"


async def last_day_played(council: Council) -> date | None:
    """The last day of the month that an earlier run has begun to play: its agreements say so."""
    async for onboarding in council.coordinator.items("/v1/onboardings", owner=OWNER, stage="agreed"):
        return Month.agreed(date.fromisoformat(onboarding["terms"]["agreed_on"])).last_day
    return None


async def register_suppliers(council: Council, sample: SampleCouncil, steps: Steps) -> dict[str, str]:
    """Market sectors, then all suppliers in one request; the suppliers' ids by reference."""
    with steps.step("Market sectors and suppliers", len(sample.sectors) + len(sample.suppliers)) as tick:
        for code, name in sample.sectors:
            await council.erp.post("/v1/market-sectors", {"code": code, "name": name}, key=f"sample-sector-{code}")
            tick()
        items = [_supplier_payload(supplier) for supplier in sample.suppliers]
        answer = await council.erp.post("/v1/suppliers/bulk", {"items": items}, key="sample-suppliers")
        if answer["refused"]:
            raise RuntimeError(f"{answer['refused']} of the sample's suppliers were refused: {answer['items'][:3]}")
        for _ in items:
            tick()
    return {sample.suppliers[item["index"]].reference: item["id"] for item in answer["items"]}


def _supplier_payload(supplier: Supplier) -> dict[str, Any]:
    contact = {
        "name": "Accounts department",
        "email": supplier.email,
        "phone": supplier.phone,
        "purpose": "remittance",
        "phone_since": PHONE_SINCE,
    }
    return {
        "source": {"system": SOURCE, "reference": supplier.reference},
        "name": supplier.name,
        "company_number": supplier.company_number,
        "vat_number": supplier.vat_number,
        "market_sector": supplier.sector,
        "payment_terms_days": 30,
        "contacts": [contact],
        "address": {"lines": list(supplier.address), "postcode": supplier.postcode},
        "bank_account": {
            "sort_code": supplier.sort_code,
            "account_number": supplier.account_number,
            "account_name": supplier.name,
        },
    }


async def join_the_programme(council: Council, sample: SampleCouncil, ids: dict[str, str], steps: Steps) -> None:
    """The early payment coordinator records who agreed to what; rebate-service hears of it as an event."""
    joining = [supplier for supplier in sample.suppliers if supplier.terms]
    agreed_on = sample.month.agreed_on.isoformat()

    async def agree(supplier: Supplier) -> None:
        assert supplier.terms  # noqa: S101 - chosen so above
        terms = {name: getattr(supplier.terms, name) for name in supplier.terms.__slots__}
        wanted = {
            "supplier_id": ids[supplier.reference],
            "owner": OWNER,
            "stage": "agreed",
            "on": agreed_on,
            "terms": {"agreed_on": agreed_on, "effective_from": sample.month.in_force_from.isoformat(), **terms},
        }
        try:
            await council.coordinator.post("/v1/onboardings", wanted, key=f"sample-onboarding-{supplier.reference}")
        except Refused as refused:
            # Agreed in an earlier run whose key has been forgotten since.
            if refused.code != "onboarding-exists":
                raise

    await _on_the_way(council, sample, ids)
    with steps.step("Agreements to early payment", len(joining)) as tick:
        await for_each(joining, agree, tick=tick)
        wanted = {ids[supplier.reference] for supplier in joining}

        async def all_in_force() -> bool:
            found = {one["supplier_id"] async for one in council.coordinator.items("/v1/agreements")}
            return wanted <= found

        await until(all_in_force, what="rebate-service to know the agreements")


async def _on_the_way(council: Council, sample: SampleCouncil, ids: dict[str, str]) -> None:
    """A supplier to be won, one that was telephoned, and one that said no: the coordinator's list begins with them."""
    prospect, contacted, declined = [supplier.reference for supplier in sample.suppliers if not supplier.terms][:3]
    called_on = sample.month.agreed_on.isoformat()
    stages = {
        prospect: {"stage": "prospect", "note": "Paid forty times a year, always on day 30."},
        contacted: {"stage": "contacted", "on": called_on, "note": "Spoke to the finance manager; sends the terms on."},
        declined: {"stage": "declined", "on": called_on, "reason": "terms", "note": "Would rather wait thirty days."},
    }
    for reference, reached in stages.items():
        wanted = {"supplier_id": ids[reference], "owner": OWNER, **reached}
        try:
            await council.coordinator.post("/v1/onboardings", wanted, key=f"sample-onboarding-{reference}")
        except Refused as refused:
            if refused.code != "onboarding-exists":
                raise
