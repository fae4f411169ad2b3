"""Service departments charge customers; one charge is disputed, one was raised in error."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from demo.council_api import Council
from demo.sample_council.facts import SOURCE, Customer, Line, Receivable, SampleCouncil
from demo.steps import Steps

DEBT_TYPE = "sundry"
REVIEW_AFTER, ENDS_AFTER = timedelta(days=28), timedelta(days=84)


async def charge_customers(council: Council, sample: SampleCouncil, steps: Steps, *, today: date) -> dict[str, str]:
    """Customers, then what they were charged; the charges' ids by number."""
    with steps.step("Customers and charges", len(sample.customers) + len(sample.receivables)) as tick:
        items = [_customer(one) for one in sample.customers]
        await in_bulk(council, "customers", items, key="sample-customers")
        for _ in items:
            tick()
        charges = [_charge(one) for one in sample.receivables]
        ids = await in_bulk(council, "receivables", charges, key="sample-receivables")
        for _ in charges:
            tick()
    by_number = {one.number: charge_id for one, charge_id in zip(sample.receivables, ids, strict=True)}
    await _hold(council, by_number[sample.debts.disputed], today=today)
    await _cancel(council, by_number[sample.debts.cancelled])
    return by_number


async def in_bulk(council: Council, resource: str, items: list[dict[str, Any]], *, key: str) -> list[str]:
    """Send debt-service many items at once; their ids in the same order. None may be refused."""
    answer = await council.erp.post(f"/v1/{resource}/bulk", {"items": items}, key=key)
    refused = [one for one in answer["items"] if one["outcome"] == "refused"]
    if refused:
        raise RuntimeError(f"{len(refused)} of {len(items)} {resource} were refused, the first with {refused[0]}")
    return [one["id"] for one in answer["items"]]


def _customer(customer: Customer) -> dict[str, Any]:
    return {
        "source": {"system": SOURCE, "reference": customer.reference},
        "kind": customer.kind,
        "name": customer.name,
        "email": customer.email,
        "address": {"lines": list(customer.address), "postcode": customer.postcode},
        "preferred_channel": customer.preferred_channel,
    }


def _charge(receivable: Receivable) -> dict[str, Any]:
    return {
        "source": {"system": SOURCE, "reference": receivable.reference},
        "customer": {"system": SOURCE, "reference": receivable.customer.reference},
        "number": receivable.number,
        "department": receivable.department,
        "debt_type": DEBT_TYPE,
        "issued_on": receivable.issued_on.isoformat(),
        "due_on": receivable.due_on.isoformat(),
        "lines": [_line(line) for line in receivable.lines],
        "gross_pence": receivable.gross_pence,
    }


def _line(line: Line) -> dict[str, Any]:
    return {name: getattr(line, name) for name in ("description", "net_pence", "vat_rate", "vat_pence")}


async def _hold(council: Council, receivable_id: str, *, today: date) -> None:
    """A hold is looked at again four weeks from today and ends after twelve; an earlier run's stands."""
    async for _ in council.receivables.items("/v1/holds", receivable_id=receivable_id):
        return
    body = {
        "receivable_id": receivable_id,
        "reason": "dispute",
        "note": "The customer says the bins were never collected",
        "owner": "r.cole",
        "review_on": (today + REVIEW_AFTER).isoformat(),
        "ends_on": (today + ENDS_AFTER).isoformat(),
    }
    await council.receivables.post("/v1/holds", body)


async def _cancel(council: Council, receivable_id: str) -> None:
    found = await council.receivables.get(f"/v1/receivables/{receivable_id}")
    if found["status"] != "cancelled":
        path = f"/v1/receivables/{receivable_id}/cancellations"
        key = f"sample-cancellation-{receivable_id}"
        body = {"reason": "raised_in_error", "note": "The department raised it twice."}
        await council.receivables.post(path, body, key=key)
