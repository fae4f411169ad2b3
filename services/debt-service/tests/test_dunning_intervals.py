"""The interval between two notices, by HTTP."""

from datetime import date, timedelta

import pytest
from council_common.contracts.notifications import MessageDeliveredV1, MessageSentV1

TODAY = date(2026, 3, 11)


async def test_the_next_notice_waits_for_the_interval_and_for_the_delivery_of_the_last(office, late) -> None:
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    await office.service.deliver(office.message(MessageSentV1, notice["id"]))
    office.on(TODAY + timedelta(days=7))
    waiting = await office.propose(office.service.now.date())
    assert waiting["found"]["not_proposed"] == {"previous_not_delivered": 1}
    assert (await office.get(f"receivables/{late['id']}/next-notice"))["reason"] == "previous_not_delivered"
    await office.service.deliver(office.message(MessageDeliveredV1, notice["id"]))
    early = await office.propose(TODAY + timedelta(days=6))
    assert early["found"]["not_proposed"] == {"interval_not_elapsed": 1}
    due = await office.propose(office.service.now.date())
    assert due["found"]["by_level"] == [{"level": 2, "debts": 1, "outstanding_pence": 100_00}]


@pytest.mark.parametrize(("day", "reason"), [(date(2026, 3, 28), "interval_not_elapsed"), (date(2026, 3, 29), None)])
async def test_the_interval_counts_from_the_day_the_notice_left(office, day: date, reason: str | None) -> None:
    """Proposed on 1 March, approved and sent on the 15th under the date of the 1st; interval 14 days.

    With the receivable due on 28 January and levels at 7 and 21 days, nothing but the interval is in the way.
    """
    office.on(date(2026, 3, 1))
    await office.ladder(7, 21, interval=14)
    owed = await office.receivable(await office.customer(), 100_00, due_on=date(2026, 1, 28))
    run = await office.propose(date(2026, 3, 1))
    office.on(date(2026, 3, 15))
    await office.approve(run, issued_on=date(2026, 3, 1))
    await office.deliver_all()
    same_day = await office.propose(date(2026, 3, 15))
    assert same_day["found"]["not_proposed"] == {"interval_not_elapsed": 1}
    office.on(day)
    assert (await office.get(f"receivables/{owed['id']}/next-notice"))["reason"] == reason
    found = await office.propose(day)
    assert found["found"]["proposed"] == (reason is None)


async def test_two_officers_cannot_send_two_levels_in_one_day(office) -> None:
    """Runs dated back to 1 and 15 March, both approved on the 20th: the second waits."""
    office.on(date(2026, 1, 1))
    await office.ladder(7, 21, interval=14)
    owed = await office.receivable(await office.customer(), 100_00, due_on=date(2026, 1, 28))
    office.on(date(2026, 3, 20))
    first = await office.propose(date(2026, 3, 1))
    await office.approve(first, issued_on=date(2026, 3, 1))
    await office.deliver_all()
    for day in (date(2026, 3, 15), date(2026, 3, 20)):
        assert (await office.propose(day))["found"]["not_proposed"] == {"interval_not_elapsed": 1}
        found = await office.get(f"receivables/{owed['id']}/next-notice", as_at=str(day))
        assert found["reason"] == "interval_not_elapsed"
    assert [notice["sent_on"] for notice in await office.notices()] == ["2026-03-20"]
    office.on(date(2026, 4, 3))
    assert (await office.propose(date(2026, 4, 3)))["found"]["proposed"] == 1


async def test_a_replay_of_past_days_counts_from_the_days_it_is_dated(office) -> None:
    """As at days before the debt was recorded: every notice leaves today, the ladder goes on as it would have."""
    office.on(TODAY)
    await office.ladder(7, 21, interval=14)
    await office.receivable(await office.customer(), 100_00, due_on=date(2025, 3, 1))
    for day, level in ((date(2025, 3, 8), 1), (date(2025, 3, 22), 2)):
        run = await office.propose(day)
        assert run["found"]["by_level"] == [{"level": level, "debts": 1, "outstanding_pence": 100_00}]
        await office.approve(run, issued_on=day)
        await office.deliver_all()
    assert {notice["sent_on"] for notice in await office.notices()} == {str(TODAY)}
    assert (await office.notices(level=2))[0]["why"]["days_since_last_notice"] == 14
