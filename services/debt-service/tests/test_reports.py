"""Aged debt and control accounts, by HTTP."""

from collections import Counter
from datetime import date, timedelta

from debt_service.reporting.aged_debt.rules import BUCKETS, bucket

TODAY = date(2026, 3, 11)


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
    await office.cancel(cancelled, "raised_in_error")
    await office.receipt(25_00, payer_reference=paid["number"])
    found = await office.get("control-accounts/reconciliation", start=str(TODAY))
    assert (found["opening_pence"], found["invoices_pence"], found["credits_pence"]) == (40_00, 65_00, 5_00)
    assert (found["receipts_allocated_pence"], found["closing_pence"]) == (25_00, 75_00)
    assert (found["control_account_pence"], found["difference_pence"]) == (75_00, 0)


async def test_a_period_does_not_end_before_it_begins(office) -> None:
    period = {"start": "2026-03-11", "as_at": "2026-03-10"}
    answer = await office.officer.get("/v1/control-accounts/reconciliation", params=period)
    assert (answer.status_code, answer.json()["code"]) == (422, "dates-out-of-order")
    assert answer.json()["errors"][0]["field"] == "as_at"


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


async def test_aged_debt_as_at_a_past_day_counts_what_was_owed_then(office) -> None:
    """Paid in full, paid in part, cancelled and raised since: each counts as it stood on the day."""
    customer = await office.customer()
    full, part, cancelled = [await office.receivable(customer, pence, due_on=TODAY) for pence in (10_00, 20_00, 30_00)]
    office.on(TODAY + timedelta(days=1))
    await office.receipt(10_00, payer_reference=full["number"])
    await office.receipt(5_00, payer_reference=part["number"])
    await office.cancel(cancelled, "duplicate")
    await office.receivable(customer, 40_00, due_on=TODAY + timedelta(days=31))
    for as_at, debts, pence in ((TODAY, 3, 60_00), (TODAY + timedelta(days=1), 2, 55_00)):
        for by in ("department", "debt_type", "customer"):
            [row] = (await office.get("reports/aged-debt", as_at=str(as_at), by=by))["rows"]
            assert (row["debts"], row["total_pence"]) == (debts, pence), (as_at, by)


async def test_reports_download_as_csv(office) -> None:
    customer = await office.customer(name="+HYPERLINK()")
    await office.receivable(customer, 10_00, due_on=TODAY - timedelta(days=40))
    await office.receipt(2_50)
    aged = await office.csv("reports/aged-debt/export.csv", by="customer")
    assert [(row["key"], row["name"], row["days_31_60_pounds"], row["unallocated_pounds"]) for row in aged] == [
        (customer["id"], "'+HYPERLINK()", "10.00", ""),
        ("unidentified", "", "0.00", "2.50"),
        ("total", "", "10.00", "2.50"),
    ]
    balances = {row["account"]: row["balance_pounds"] for row in await office.csv("control-accounts/export.csv")}
    assert (balances["receivables_control"], balances["income"], balances["bank"]) == ("10.00", "-10.00", "2.50")
    assert await office.csv("control-accounts/reconciliation/export.csv", start=str(TODAY)) == []
    entries = await office.csv("journal/export.csv", fact="receipt_received")
    assert [(row["bank_pounds"], row["unallocated_cash_pounds"], row["income_pounds"]) for row in entries] == [
        ("2.50", "-2.50", "")
    ]
