"""Cases from the tests of Tryton, OCA's credit control and ERPNext, by HTTP."""

from datetime import date, timedelta

import pytest
from council_common.contracts.debts import DunningNoticeIssuedV1, ReceivableOverdueV1

DUE = date(2026, 1, 5)


async def test_levels_climb_one_by_one_and_never_beside_an_open_notice(office) -> None:
    """Tryton account_dunning: levels at 5, 20 and 40 days.

    Tryton rises on the day the draft is ended; ours waits a day, because the notice left that day.
    """
    await office.ladder(5, 20, 40)
    office.on(DUE)
    customer = await office.customer()
    paid = await office.receivable(customer, 100_00, due_on=DUE)
    owed = await office.receivable(customer, 100_00, due_on=DUE)
    await office.receipt(100_00, payer_reference=paid["number"])

    office.on(DUE + timedelta(days=4))
    assert (await office.propose(office.service.now.date()))["found"]["proposed"] == 0

    office.on(DUE + timedelta(days=5))  # the unpaid line only
    run = await office.propose(office.service.now.date())
    [item] = await office.items(run)
    assert (item["receivable_id"], item["level"], item["state"]) == (owed["id"], 1, "proposed")

    office.on(DUE + timedelta(days=30))  # no rise while the draft is open
    second = await office.propose(office.service.now.date())
    assert second["found"]["not_proposed"] == {"in_another_proposal": 1}

    await office.approve(run, issued_on=DUE + timedelta(days=5))
    await office.deliver_all()
    hold = await office.hold(receivable_id=owed["id"])
    blocked = await office.propose(office.service.now.date())
    assert blocked["found"]["not_proposed"] == {"on_hold:dispute": 1}

    await office.release(hold, "bins found")
    same_day = await office.propose(office.service.now.date())
    assert same_day["found"]["not_proposed"] == {"interval_not_elapsed": 1}
    office.on(DUE + timedelta(days=31))
    again = await office.propose(office.service.now.date())
    [item] = await office.items(again, state="proposed")
    assert (item["level"], item["last_notice_on"]) == (2, str(DUE + timedelta(days=30)))
    await office.post(f"dunning-runs/{again['id']}/cancellations", {"note": "look again"})

    await office.receipt(100_00, payer_reference=owed["number"])
    assert (await office.propose(office.service.now.date()))["found"]["overdue"] == 0
    office.on(DUE + timedelta(days=50))
    assert (await office.propose(office.service.now.date()))["found"]["overdue"] == 0
    await office.check_books()


@pytest.mark.parametrize(("runs", "letters"), [((180, 60, 0), 3), ((0,), 1)])
async def test_one_level_a_run_however_late(office, runs: tuple[int, ...], letters: int) -> None:
    """OCA account_credit_control: an invoice due a year ago; three runs make 1, 2, 3 lines, one run makes 1.

    OCA's third level counts from the end of the month; ours count days only.
    """
    today = date(2026, 3, 11)
    office.on(today - timedelta(days=365))
    await office.ladder(10, 30, 40, interval=10)
    customer = await office.customer()
    await office.receivable(customer, 500_00, due_on=today - timedelta(days=365))
    for number, days_ago in enumerate(runs, start=1):
        office.on(today - timedelta(days=days_ago))
        run = await office.propose(office.service.now.date())
        assert run["found"]["proposed"] == 1
        await office.approve(run)
        await office.deliver_all()
        assert [notice["level"] for notice in await office.notices()] == list(range(1, number + 1))
    assert len(await office.notices()) == letters
    assert len(await office.service.published(DunningNoticeIssuedV1)) == letters
    assert len(await office.service.published(ReceivableOverdueV1)) == 1


async def test_a_payment_that_comes_back_makes_the_debt_overdue_again(office) -> None:
    """ERPNext test_dunning: cancel the payment, the invoice is overdue."""
    office.on(date(2026, 3, 11))
    customer = await office.customer()
    receivable = await office.receivable(customer, 100_00, due_on=date(2026, 3, 5))
    await office.propose(date(2026, 3, 11))
    receipt = await office.receipt(100_00, payer_reference=receivable["number"])
    assert (await office.get(f"receivables/{receivable['id']}"))["status"] == "settled"
    await office.post(f"receipts/{receipt['id']}/reversals", {"reason": "refer_to_payer"})
    again = await office.get(f"receivables/{receivable['id']}")
    assert (again["status"], again["outstanding_pence"]) == ("overdue", 100_00)
    assert len(await office.service.published(ReceivableOverdueV1)) == 1
    await office.check_books()


async def test_a_credit_note_ends_the_ladder(office) -> None:
    """ERPNext test_dunning, its first half: a full credit note resolves the dunning.

    Ours comes before any notice, and is never taken back ("unresolved again" in ERPNext): a new charge is raised.
    """
    office.on(date(2026, 3, 11))
    customer = await office.customer()
    receivable = await office.receivable(customer, 100_00, due_on=date(2026, 3, 1))
    await office.cancel(receivable, "raised_in_error")
    assert (await office.propose(date(2026, 3, 11)))["found"]["overdue"] == 0
    await office.check_books()
