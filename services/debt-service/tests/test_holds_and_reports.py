"""Holds and reports, by HTTP."""

from collections import Counter
from datetime import date, timedelta

import pytest
from council_common.contracts.debts import HoldPlacedV1, HoldReleasedV1
from debt_service.arrangements.holds.rules import HoldReason
from debt_service.ledger.receivables.rules import is_overdue
from debt_service.main import SERVICE
from debt_service.reporting.aged_debt.rules import BUCKETS, bucket

TODAY = date(2026, 3, 11)


async def test_a_hold_on_a_customer_reaches_what_is_owed_and_what_is_raised_later(office) -> None:
    customer = await office.customer()
    first = await office.receivable(customer, 10_00, due_on=TODAY)
    paid = await office.receivable(customer, 11_00, due_on=TODAY)
    receipt = await office.receipt(11_00, payer_reference=paid["number"])
    hold = await office.hold(customer_id=customer["id"], reason="vulnerability")
    later = await office.receivable(customer, 20_00, due_on=TODAY)
    assert later["on_hold"]
    await office.post(f"receipts/{receipt['id']}/reversals", {"reason": "refer_to_payer"})
    held = (await office.get("receivables", on_hold=True))["items"]
    assert {receivable["id"] for receivable in held} == {first["id"], paid["id"], later["id"]}
    [event] = await office.service.published(HoldPlacedV1)
    assert (str(event.receivable_id), event.kind, str(event.hold_id)) == (first["id"], "other", hold["id"])
    own = await office.hold(receivable_id=first["id"])
    await office.release(hold, "assessed")
    assert [receivable["id"] for receivable in (await office.get("receivables", on_hold=True))["items"]] == [
        first["id"]
    ]
    assert len(await office.service.published(HoldReleasedV1)) == 3
    assert (await office.release(hold, status=409))["code"] == "hold-released"
    found = await office.get("holds", receivable_id=first["id"], released=False)
    assert [hold["id"] for hold in found["items"]] == [own["id"]]
    history = await office.all_items(f"holds/{hold['id']}/history")
    assert [change["action"] for change in history] == ["placed", "released"]


async def test_a_hold_ends_after_its_last_day(office) -> None:
    receivable = await office.receivable(await office.customer(), 10_00, due_on=TODAY)
    hold = await office.hold(receivable_id=receivable["id"], review_on=str(TODAY), ends_on=str(TODAY))
    job = next(job for job in SERVICE.jobs if job.name == "end-holds")
    await office.service.run_job(job)
    assert (await office.get(f"holds/{hold['id']}"))["released_at"] is None
    office.on(TODAY + timedelta(days=1))
    assert (await office.get(f"receivables/{receivable['id']}/next-notice"))["reason"] == "not_due_yet"
    await office.service.run_job(job)
    assert (await office.get(f"holds/{hold['id']}"))["release_reason"] == "expired"
    assert not (await office.get(f"receivables/{receivable['id']}"))["on_hold"]


async def test_a_hold_has_dates_ahead_and_something_to_hold(office) -> None:
    receivable = await office.receivable(await office.customer(), 10_00, due_on=TODAY)
    for days, field in (
        ({"review_on": "2026-03-10"}, "review_on"),
        ({"review_on": "2026-04-01", "ends_on": "2026-03-31"}, "ends_on"),
    ):
        refused = await office.hold(receivable_id=receivable["id"], status=422, **days)
        assert (refused["code"], refused["errors"][0]["field"]) == ("hold-dates", field)
    assert (await office.hold(status=422))["code"] == "malformed"
    # Always with a reason, a note, an owner, a review day and a last day.
    for missing in ("reason", "note", "owner", "review_on", "ends_on"):
        body = office.hold_body(receivable_id=receivable["id"])
        del body[missing]
        refused = await office.post("holds", body, status=422)
        assert refused["errors"][0]["field"] == missing
    await office.receipt(10_00, payer_reference=receivable["number"])
    assert (await office.hold(receivable_id=receivable["id"], status=409))["code"] == "nothing-owed"


async def test_aged_debt_as_at_any_day(office) -> None:
    customer = await office.customer()
    old = await office.receivable(customer, 100_00, due_on=TODAY - timedelta(days=100), department="rents")
    await office.receivable(customer, 7_00, due_on=TODAY + timedelta(days=5))
    office.on(TODAY + timedelta(days=1))
    only_old = [{"receivable_id": old["id"], "amount_pence": 100_00}]
    receipt = await office.receipt(130_00, allocations=only_old)
    office.on(TODAY + timedelta(days=2))
    await office.post(f"receipts/{receipt['id']}/reversals", {"reason": "refer_to_payer"})

    before = await office.get("reports/aged-debt", as_at=str(TODAY))
    assert [(row["key"], row["total_pence"]) for row in before["rows"]] == [
        ("rents", 100_00),
        ("commercial_waste", 7_00),
    ]
    assert (before["rows"][0]["days_91_180"], before["rows"][1]["not_due"]) == (100_00, 7_00)
    paid = await office.get("reports/aged-debt", as_at=str(TODAY + timedelta(days=1)), by="customer")
    [row] = paid["rows"]
    assert (row["key"], row["total_pence"], row["unallocated_pence"]) == (customer["id"], 7_00, 30_00)
    back = await office.get("reports/aged-debt", as_at=str(TODAY + timedelta(days=2)), by="debt_type")
    assert (back["total"]["total_pence"], back["total"]["unallocated_pence"]) == (107_00, 0)
    for day in range(3):
        balance = await office.get("control-accounts", as_at=str(TODAY + timedelta(days=day)))
        assert (balance["sum_pence"], balance["difference_pence"]) == (0, 0)


async def test_the_control_account_reconciles_over_a_period(office) -> None:
    """opening + invoices − credits − receipts allocated + receipts reversed = closing = control account."""
    customer = await office.customer()
    await office.receivable(customer, 40_00, due_on=TODAY)
    cancelled = await office.receivable(customer, 5_00, due_on=TODAY + timedelta(days=30))
    paid = await office.receivable(customer, 60_00, due_on=TODAY + timedelta(days=30))
    await office.post(f"receivables/{cancelled['id']}/cancellations", {"reason": "raised_in_error"})
    await office.receipt(25_00, payer_reference=paid["number"])
    found = await office.get("control-accounts/reconciliation", start=str(TODAY))
    assert (found["opening_pence"], found["invoices_pence"], found["credits_pence"]) == (40_00, 65_00, 5_00)
    assert (found["receipts_allocated_pence"], found["closing_pence"]) == (25_00, 75_00)
    assert (found["control_account_pence"], found["difference_pence"]) == (75_00, 0)


async def test_a_period_does_not_end_before_it_begins(office) -> None:
    period = {"start": "2026-03-11", "as_at": "2026-03-10"}
    answer = await office.officer.get("/v1/control-accounts/reconciliation", params=period)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "as_at")


# Not due, 1-30, 31-60, 61-90, 91-180, 181-365, >365 days from the due date.
EDGES = {
    0: "not_due",
    1: "days_1_30",
    30: "days_1_30",
    31: "days_31_60",
    60: "days_31_60",
    61: "days_61_90",
    90: "days_61_90",
    91: "days_91_180",
    180: "days_91_180",
    181: "days_181_365",
    365: "days_181_365",
    366: "days_over_365",
}


def test_the_edges_of_the_buckets() -> None:
    assert {days: bucket(days) for days in EDGES} == EDGES


async def test_the_statement_cuts_where_the_rule_cuts(office) -> None:
    customer = await office.customer()
    owed: Counter[str] = Counter()
    for pence, days in enumerate((*EDGES, -40, 17, 1000), start=1):
        due_on = TODAY - timedelta(days=days)
        issued_on = str(min(due_on, TODAY))
        await office.receivable(customer, pence, due_on=due_on, issued_on=issued_on)
        owed[bucket(days)] += pence
    total = (await office.get("reports/aged-debt", as_at=str(TODAY)))["total"]
    assert {name: total[name] for name in BUCKETS} == owed


@pytest.mark.parametrize(
    ("reason", "category"),
    [
        *((reason, "other") for reason in HoldReason if reason != "breathing_space"),
        ("breathing_space", "breathing_space"),
    ],
)
async def test_why_a_debt_is_held_is_not_published(office, reason: str, category: str) -> None:
    receivable = await office.receivable(await office.customer(), 10_00, due_on=TODAY)
    hold = await office.hold(receivable_id=receivable["id"], reason=reason)
    await office.release(hold, "over")
    events = await office.service.published(HoldPlacedV1, HoldReleasedV1)
    assert [event.kind for event in events] == [category, category]
    assert hold["reason"] == reason


async def test_overdue_from_the_day_after_the_due_date(office) -> None:
    """Marking (SQL) and reopening go by one rule, `is_overdue`."""
    receivable = await office.receivable(await office.customer(), 10_00, due_on=TODAY)
    for day in (TODAY, TODAY + timedelta(days=1)):
        office.on(day)
        marked = await office.post("receivables/overdue-markings", {"as_at": str(day)}, status=200)
        assert bool(marked["marked"]) is is_overdue(TODAY, as_at=day)
        paid = await office.receipt(10_00, payer_reference=receivable["number"])
        await office.post(f"receipts/{paid['id']}/reversals", {"reason": "refer_to_payer"})
        status = (await office.get(f"receivables/{receivable['id']}"))["status"]
        assert (status == "overdue") is is_overdue(TODAY, as_at=day)
