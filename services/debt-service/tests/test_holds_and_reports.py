"""Holds (D3) and reports, by HTTP."""

from datetime import date, timedelta

from council_common.contracts.debts import HoldPlacedV1, HoldReleasedV1
from debt_service.jobs import JOBS
from debt_service.reports.rules import BUCKETS, bucket
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 3, 11)
HOLD = {"kind": "dispute", "reason": "wrong amount", "owner": "waste team", "review_on": "2026-03-25"}


async def test_a_hold_on_a_customer_reaches_what_is_owed_and_what_is_raised_later(office) -> None:
    customer = await office.customer()
    first = await office.receivable(customer, 10_00, due_on=TODAY)
    paid = await office.receivable(customer, 11_00, due_on=TODAY)
    receipt = await office.receipt(11_00, payer_reference=paid["number"])
    hold = await office.tell("holds", {**HOLD, "customer_id": customer["id"], "kind": "vulnerability"})
    later = await office.receivable(customer, 20_00, due_on=TODAY)
    assert later["on_hold"]
    await office.tell(f"receipts/{receipt['id']}/reversals", {"reason": "refer_to_payer"})
    held = (await office.ask("receivables", on_hold=True))["items"]
    assert {each["id"] for each in held} == {first["id"], paid["id"], later["id"]}
    [event] = await office.service.published(HoldPlacedV1)
    assert (str(event.receivable_id), event.kind, str(event.hold_id)) == (first["id"], "vulnerability", hold["id"])
    own = await office.tell("holds", {**HOLD, "receivable_id": first["id"]})
    await office.tell(f"holds/{hold['id']}/releases", {"reason": "assessed"})
    assert [each["id"] for each in (await office.ask("receivables", on_hold=True))["items"]] == [first["id"]]
    assert len(await office.service.published(HoldReleasedV1)) == 3
    assert (await office.tell(f"holds/{hold['id']}/releases", {"reason": "x"}, status=409))["code"] == "hold-released"
    found = await office.ask("holds", receivable_id=first["id"], released=False)
    assert [each["id"] for each in found["items"]] == [own["id"]]
    history = await office.ask(f"holds/{hold['id']}/history")
    assert [each["action"] for each in history] == ["placed", "released"]


async def test_a_hold_ends_after_its_last_day(office) -> None:
    receivable = await office.receivable(await office.customer(), 10_00, due_on=TODAY)
    hold = await office.tell("holds", {**HOLD, "receivable_id": receivable["id"], "ends_on": str(TODAY)})
    job = next(job for job in JOBS if job.name == "end-holds")
    await office.service.run_job(job)
    assert (await office.ask(f"holds/{hold['id']}"))["released_at"] is None
    office.on(TODAY + timedelta(days=1))
    assert (await office.ask(f"receivables/{receivable['id']}/next-notice"))["reason"] == "not_due_yet"
    await office.service.run_job(job)
    assert (await office.ask(f"holds/{hold['id']}"))["release_reason"] == "its last day is over"
    assert not (await office.ask(f"receivables/{receivable['id']}"))["on_hold"]


async def test_a_hold_has_dates_ahead_and_something_to_hold(office) -> None:
    receivable = await office.receivable(await office.customer(), 10_00, due_on=TODAY)
    past = {**HOLD, "receivable_id": receivable["id"], "review_on": "2026-03-10"}
    assert (await office.tell("holds", past, status=422))["code"] == "hold-dates"
    assert (await office.tell("holds", HOLD, status=422))["code"] == "malformed"
    await office.receipt(10_00, payer_reference=receivable["number"])
    paid = {**HOLD, "receivable_id": receivable["id"]}
    assert (await office.tell("holds", paid, status=409))["code"] == "nothing-owed"


async def test_aged_debt_as_at_any_day(office) -> None:
    customer = await office.customer()
    old = await office.receivable(customer, 100_00, due_on=TODAY - timedelta(days=100), department="rents")
    await office.receivable(customer, 7_00, due_on=TODAY + timedelta(days=5))
    office.on(TODAY + timedelta(days=1))
    receipt = await office.receipt(130_00, payer_reference=old["number"])
    office.on(TODAY + timedelta(days=2))
    await office.tell(f"receipts/{receipt['id']}/reversals", {"reason": "refer_to_payer"})

    before = await office.ask("reports/aged-debt", as_at=str(TODAY))
    assert [(each["key"], each["total_pence"]) for each in before["rows"]] == [
        ("rents", 100_00),
        ("commercial_waste", 7_00),
    ]
    assert (before["rows"][0]["days_91_180"], before["rows"][1]["not_due"]) == (100_00, 7_00)
    paid = await office.ask("reports/aged-debt", as_at=str(TODAY + timedelta(days=1)), by="customer")
    [row] = paid["rows"]
    assert (row["key"], row["total_pence"], row["unallocated_pence"]) == (customer["id"], 7_00, 30_00)
    back = await office.ask("reports/aged-debt", as_at=str(TODAY + timedelta(days=2)), by="debt_type")
    assert (back["total"]["total_pence"], back["total"]["unallocated_pence"]) == (107_00, 0)
    for day in range(3):
        balance = await office.ask("control-accounts", as_at=str(TODAY + timedelta(days=day)))
        assert (balance["sum_pence"], balance["difference_pence"]) == (0, 0)


async def test_the_control_account_reconciles_over_a_period(office) -> None:
    """receivables.md §4: opening + invoices − credits − receipts allocated (+ back) = closing = control account."""
    customer = await office.customer()
    await office.receivable(customer, 40_00, due_on=TODAY)
    cancelled = await office.receivable(customer, 5_00, due_on=TODAY + timedelta(days=30))
    paid = await office.receivable(customer, 60_00, due_on=TODAY + timedelta(days=30))
    await office.tell(f"receivables/{cancelled['id']}/cancellations", {"reason": "raised_in_error"})
    await office.receipt(25_00, payer_reference=paid["number"])
    found = await office.ask("control-accounts/reconciliation", start=str(TODAY))
    assert (found["opening_pence"], found["invoices_pence"], found["credits_pence"]) == (40_00, 65_00, 5_00)
    assert (found["receipts_allocated_pence"], found["closing_pence"]) == (25_00, 75_00)
    assert (found["control_account_pence"], found["difference_pence"]) == (75_00, 0)


@given(st.integers(-1000, 2000))
def test_buckets_rise_with_age(days: int) -> None:
    assert BUCKETS.index(bucket(days)) <= BUCKETS.index(bucket(days + 1))
