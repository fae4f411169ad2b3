"""Money that is recorded late: no debt was ever owed less than nothing, on no day."""

from datetime import date, timedelta

from council_common.ids import new_id
from debt_service.ledger.receivables.rules import OpenItem, ReceivableStatus
from hypothesis import given
from hypothesis import strategies as st

ISSUED = date(2026, 10, 1)
DUE = date(2026, 10, 31)


async def test_r4_money_dated_back_over_days_when_the_debt_was_paid_is_on_account_for_those_days(office) -> None:
    """A Direct Debit of the 21st came back on the 28th; the card payment of the 23rd is recorded afterwards."""
    office.on(date(2026, 10, 28))
    debt = await office.receivable(await office.customer(), 100_00, due_on=DUE)
    number = debt["number"]
    first = await office.receipt(100_00, payer_reference=number, received_on="2026-10-21", method="direct_debit")
    await office.give_back(first, reversed_on="2026-10-28")
    office.on(date(2026, 10, 30))
    card = await office.receipt(100_00, payer_reference=number, received_on="2026-10-23", method="card")
    assert [one["allocated_on"] for one in card["allocations"]] == ["2026-10-28"]
    settled = await office.get(f"receivables/{debt['id']}")
    assert (settled["status"], settled["settled_on"]) == ("settled", "2026-10-28")
    for day, owed, on_account in (
        (20, 100_00, 0),
        (21, 0, 0),
        (23, 0, 100_00),
        (25, 0, 100_00),
        (28, 0, 0),
        (30, 0, 0),
    ):
        total = (await office.get("reports/aged-debt", as_at=f"2026-10-{day}"))["total"]
        assert (total["total_pence"], total["unallocated_pence"]) == (owed, on_account), day
        balance = await office.get("control-accounts", as_at=f"2026-10-{day}")
        assert (balance["sum_pence"], balance["difference_pence"]) == (0, 0), day
    await office.check_books()


async def test_a_credited_debt_is_not_paid_on_a_day_before_it_was_owed_again(office) -> None:
    """Paid on the 5th, its rest credited on the 10th, the payment back on the 15th: other money of the 7th waits."""
    office.on(date(2026, 10, 10))
    debt = await office.receivable(await office.customer(), 100_00, due_on=DUE)
    first = await office.receipt(60_00, payer_reference=debt["number"], received_on="2026-10-05")
    await office.cancel(debt, "other")
    office.on(date(2026, 10, 16))
    await office.give_back(first, reversed_on="2026-10-15")
    other = await office.receipt(60_00, payer_reference=debt["number"], received_on="2026-10-07")
    assert [one["allocated_on"] for one in other["allocations"]] == ["2026-10-15"]
    total = (await office.get("reports/aged-debt", as_at="2026-10-12"))["total"]
    assert (total["total_pence"], total["unallocated_pence"]) == (0, 60_00)


payments = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 100), st.one_of(st.none(), st.integers(0, 20))), max_size=8
)


@given(story=payments)
def test_no_balance_is_negative_on_any_day_however_late_money_is_recorded(
    story: list[tuple[int, int, int | None]],
) -> None:
    """Each payment is received on a day, in any order, and may come back some days later."""
    item = OpenItem(
        new_id(), new_id(), "R1", "bins", "sundry", ISSUED, DUE, 1, 100, 0, 100, ReceivableStatus.OPEN, None, None
    )
    for received, pence, back in story:
        if pence > item.outstanding_pence:
            continue
        on = item.owes_from(pence, on=ISSUED + timedelta(days=received))
        assert on >= ISSUED + timedelta(days=received)
        item.pay(pence, on=on)
        if back is not None:
            item.reopen(pence, on=max(on, ISSUED + timedelta(days=received + back)))
            item.moved.append((max(on, ISSUED + timedelta(days=received + back)), pence))
    for day in range(60):
        owed = 100 + sum(pence for moved_on, pence in item.moved if moved_on <= ISSUED + timedelta(days=day))
        assert 0 <= owed <= 100
    assert owed == item.outstanding_pence
