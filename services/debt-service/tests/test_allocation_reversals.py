"""What was wrong is put right: one allocation reversed and placed anew, a return on the bank's own day, sent again."""

from datetime import date

import pytest
from council_common.contracts.debts import AllocationReversedV1, ReceiptReversedV1
from council_common.ids import new_id

DUE = date(2026, 3, 20)


async def test_r11_one_allocation_alone_is_reversed_and_placed_anew(office) -> None:
    """Of two debts one was meant otherwise: the receipt stays, and so does its other allocation."""
    payer = await office.customer()
    right, wrong, meant = [await office.receivable(payer, pence, due_on=DUE) for pence in (60_00, 40_00, 40_00)]
    receipt = await office.receipt(100_00, payer_reference=f"{right['number']} {wrong['number']}")
    allocation = next(one for one in receipt["allocations"] if one["receivable_id"] == wrong["id"])
    back = await office.take_back(receipt, allocation)
    assert (back["status"], back["allocated_pence"], back["unallocated_pence"]) == ("received", 60_00, 40_00)
    assert (back["on_account_reason"], back["customer_id"]) == ("allocation_reversed", payer["id"])
    shown = next(one for one in back["allocations"] if one["id"] == allocation["id"])
    assert (shown["reversed_on"], shown["reversal_reason"]) == (str(office.service.now.date()), "wrong_debt")
    assert (await office.get(f"receivables/{wrong['id']}"))["status"] == "open"
    assert (await office.get(f"receivables/{right['id']}"))["status"] == "settled"
    [event] = await office.service.published(AllocationReversedV1)
    assert (str(event.receivable_id), event.reversed_pence, event.outstanding_pence) == (wrong["id"], 40_00, 40_00)
    assert event.reason == "wrong_debt"
    placed = await office.allocate(back, meant, 40_00, note="the payer rang")
    assert (placed["unallocated_pence"], placed["on_account_reason"]) == (0, None)
    history = await office.all_items(f"receipts/{receipt['id']}/history")
    assert [change["action"] for change in history] == ["received", "allocated", "allocation reversed", "allocated"]
    assert history[2]["detail"]["note"] == "meant for the other debt"
    assert history[3]["detail"]["note"] == "the payer rang"
    assert (history[2]["detail"]["allocation_id"], history[2]["reason"]) == (allocation["id"], "wrong_debt")
    actions = [change["action"] for change in await office.all_items(f"receivables/{wrong['id']}/history")]
    assert actions == ["raised", "paid", "settled", "reopened"]
    await office.check_books()


async def test_r11_a_payer_read_off_the_wrong_debt_is_no_payer(office) -> None:
    """A stranger's number was quoted by mistake: the money is no stranger's, who is not to have it back."""
    strangers = await office.receivable(await office.customer(), 50_00, due_on=DUE)
    receipt = await office.receipt(50_00, payer_reference=strangers["number"])
    back = await office.take_back(receipt, receipt["allocations"][0], "wrong_payer")
    assert back["customer_id"] is None
    await office.check_books()
    payer = await office.customer()
    meant = await office.receivable(payer, 50_00, due_on=DUE)
    placed = await office.allocate(back, meant, 30_00)
    assert (placed["customer_id"], placed["on_account_reason"]) == (payer["id"], "more_than_named")
    await office.check_books()
    # And once more: it may be found out as often as it is wrong.
    again = await office.take_back(placed, placed["allocations"][-1])
    assert (await office.allocate(again, strangers, 50_00))["customer_id"] == strangers["customer_id"]
    await office.check_books()


async def test_r11_a_payer_whom_the_source_named_keeps_the_money(office) -> None:
    payer = await office.customer()
    await office.receivable(payer, 50_00, due_on=DUE)
    receipt = await office.receipt(50_00, customer_id=payer["id"])
    assert (await office.take_back(receipt, receipt["allocations"][0]))["customer_id"] == payer["id"]
    await office.check_books()


async def test_an_allocation_reversed_again_is_there_already(office) -> None:
    debt = await office.receivable(await office.customer(), 50_00, due_on=DUE)
    receipt = await office.receipt(50_00, payer_reference=debt["number"])
    [allocation] = receipt["allocations"]
    first = await office.take_back(receipt, allocation)
    assert await office.take_back(receipt, allocation, status=200) == first
    other = await office.take_back(receipt, allocation, "wrong_payer", status=409)
    assert other["code"] == "allocation-reversed"
    unknown = await office.take_back(receipt, {"id": str(new_id())}, status=404)
    assert unknown["code"] == "allocation-not-found"
    without_note = {"reason": "wrong_debt"}
    path = f"receipts/{receipt['id']}/allocations/{allocation['id']}/reversals"
    assert (await office.post(path, without_note, status=422))["errors"][0]["field"] == "note"
    assert len(await office.service.published(AllocationReversedV1)) == 1


async def test_a_return_counts_from_the_banks_day_although_its_rest_was_allocated_later(office) -> None:
    """Received on the 2nd, returned by the bank on the 5th; its rest was allocated on the 9th, the return sent on the
    11th."""
    payer = await office.customer()
    office.on(date(2026, 3, 2))
    debt = await office.receivable(payer, 60_00, due_on=DUE)
    receipt = await office.receipt(100_00, payer_reference=debt["number"])
    office.on(date(2026, 3, 9))
    later = await office.receivable(payer, 40_00, due_on=DUE, issued_on="2026-03-01")
    await office.allocate(receipt, later, 40_00)
    office.on(date(2026, 3, 11))
    back = await office.give_back(receipt, reversed_on="2026-03-05")
    assert [one["reversed_on"] for one in back["allocations"]] == ["2026-03-05", "2026-03-09"]
    assert [event.reversed_on for event in await office.service.published(ReceiptReversedV1)] == [date(2026, 3, 5)] * 2
    await office.check_books()
    for day, owed, on_account in (
        (2, 40_00, 40_00),
        (4, 40_00, 40_00),
        (5, 100_00, 0),
        (9, 100_00, 0),
        (11, 100_00, 0),
    ):
        total = (await office.get("reports/aged-debt", as_at=f"2026-03-{day:02}"))["total"]
        assert (total["total_pence"], total["unallocated_pence"]) == (owed, on_account), day
        balance = await office.get("control-accounts", as_at=f"2026-03-{day:02}")
        assert (balance["sum_pence"], balance["difference_pence"]) == (0, 0)


@pytest.mark.parametrize("again", [{}, {"reversed_on": "2026-03-10"}])
async def test_a_return_sent_again_is_there_already(office, again: dict[str, str]) -> None:
    debt = await office.receivable(await office.customer(), 50_00, due_on=DUE)
    receipt = await office.receipt(50_00, payer_reference=debt["number"], received_on="2026-03-09")
    first = await office.give_back(receipt, reversed_on="2026-03-10")
    office.on(date(2026, 3, 12))
    assert await office.give_back(receipt, status=200, **again) == first
    for other in ({"reversed_on": "2026-03-11"}, {"reason": "bounced"}):
        assert (await office.give_back(receipt, status=409, **other))["code"] == "illegal-move"
    assert len(await office.service.published(ReceiptReversedV1)) == 1


async def test_what_is_left_after_an_allocation_by_hand_says_so(office) -> None:
    suspense = await office.receipt(100_00)
    debt = await office.receivable(await office.customer(), 60_00, due_on=DUE)
    left = await office.allocate(suspense, debt, 60_00)
    assert (left["unallocated_pence"], left["on_account_reason"]) == (40_00, "more_than_named")
    assert (await office.get("receipts", on_account_reason="payer_unknown"))["items"] == []
