"""Money that quotes nothing pays no debt in dispute."""

from datetime import date, timedelta

import pytest

TODAY = date(2026, 3, 11)


@pytest.mark.parametrize("on_customer", [False, True])
async def test_unreferenced_money_pays_no_debt_in_dispute_unless_the_payer_says_so(office, on_customer: bool) -> None:
    office.on(TODAY)
    payer = await office.customer()
    disputed = await office.receivable(payer, 50_00, due_on=TODAY - timedelta(days=40))
    reached = {"customer_id": payer["id"]} if on_customer else {"receivable_id": disputed["id"]}
    hold = await office.hold(**reached)
    left = await office.receipt(30_00, customer_id=payer["id"])
    assert (left["allocations"], left["on_account_reason"]) == ([], "debt_in_dispute")
    # Who quotes it says so.
    said = await office.receipt(20_00, customer_id=payer["id"], payer_reference=disputed["number"])
    assert said["allocations"][0]["receivable_id"] == disputed["id"]
    await office.release(hold)
    after = await office.receipt(10_00, customer_id=payer["id"])
    assert after["allocations"][0]["receivable_id"] == disputed["id"]
    await office.check_books()


async def test_what_is_not_in_dispute_is_paid_and_the_rest_says_why(office) -> None:
    office.on(TODAY)
    payer = await office.customer()
    disputed = await office.receivable(payer, 50_00, due_on=TODAY - timedelta(days=40))
    await office.hold(receivable_id=disputed["id"])
    owed = await office.receivable(payer, 30_00, due_on=TODAY)
    # Just the disputed debt's amount: it may be for it, and pays no other.
    same = await office.receipt(50_00, customer_id=payer["id"])
    assert (same["allocations"], same["on_account_reason"]) == ([], "debt_in_dispute")
    more = await office.receipt(45_00, customer_id=payer["id"])
    assert [one["receivable_id"] for one in more["allocations"]] == [owed["id"]]
    assert (more["unallocated_pence"], more["on_account_reason"]) == (15_00, "debt_in_dispute")


async def test_a_hold_for_another_reason_is_no_dispute(office) -> None:
    """An arrangement is kept by paying."""
    office.on(TODAY)
    payer = await office.customer()
    debt = await office.receivable(payer, 50_00, due_on=TODAY - timedelta(days=40))
    await office.hold(receivable_id=debt["id"], reason="arrangement")
    paid = await office.receipt(10_00, customer_id=payer["id"])
    assert paid["allocations"][0]["receivable_id"] == debt["id"]
