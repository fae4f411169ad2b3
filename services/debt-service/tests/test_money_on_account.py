"""A customer whose money the council holds is not chased for less than it."""

from datetime import date, timedelta

TODAY = date(2026, 3, 11)


async def test_r2_no_letter_about_a_debt_while_the_council_holds_more_than_it(office) -> None:
    """A £500 is paid twice, so £500 is on account; B of £300 is overdue."""
    office.on(TODAY)
    await office.ladder(1, 8, interval=7)
    customer = await office.customer()
    paid = await office.receivable(customer, 500_00, due_on=TODAY - timedelta(days=20))
    owed = await office.receivable(customer, 300_00, due_on=TODAY - timedelta(days=10))
    more = await office.receivable(customer, 500_01, due_on=TODAY - timedelta(days=10))
    for _ in range(2):
        twice = await office.receipt(500_00, payer_reference=paid["number"])
    run = await office.propose(TODAY)
    assert run["found"]["not_proposed"] == {"money_on_account": 1}
    [item] = await office.items(run, reason="money_on_account")
    assert (item["receivable_id"], item["state"], item["on_account_pence"]) == (owed["id"], "skipped", 500_00)
    # What is more than the council holds is chased, and the officer who looks through the run sees what it holds.
    [chased] = await office.items(run, state="proposed")
    assert (chased["receivable_id"], chased["on_account_pence"]) == (more["id"], 500_00)
    explained = await office.get(f"receivables/{owed['id']}/next-notice")
    assert (explained["due"], explained["reason"], explained["on_account_pence"]) == (False, "money_on_account", 500_00)
    await office.post(f"dunning-runs/{run['id']}/cancellations", {"note": "the money first"})
    # Once it went back, or paid something else, the debt is chased.
    await office.give_back(twice)
    assert (await office.propose(TODAY))["found"]["proposed"] == 2


async def test_r2_money_that_came_between_proposal_and_approval_stops_the_letter(office, late) -> None:
    run = await office.propose(TODAY)
    await office.receipt(late["outstanding_pence"], customer_id=late["customer_id"], payer_reference="R0000999")
    assert (await office.approve(run))["outcome"]["dropped"] == {"money_on_account": 1}


async def test_suspense_stops_no_letter(office, late) -> None:
    """Nobody knows whose it is."""
    await office.receipt(late["outstanding_pence"])
    assert (await office.propose(TODAY))["found"]["proposed"] == 1


async def test_the_default_ladder_writes_no_letter_about_less_than_its_minimum(office) -> None:
    """£5.00, as the ladder says with its source; the officer finds the debt in the run."""
    office.on(TODAY)
    customer = await office.customer()
    small = await office.receivable(customer, 4_99, due_on=TODAY - timedelta(days=40))
    await office.receivable(customer, 5_00, due_on=TODAY - timedelta(days=40))
    run = await office.propose(TODAY)
    assert (run["found"]["proposed"], run["found"]["not_proposed"]) == (1, {"below_minimum": 1})
    [item] = await office.items(run, reason="below_minimum")
    assert item["receivable_id"] == small["id"]
    [ladder] = (await office.get("dunning-procedures"))["items"]
    assert {level["minimum_pence"] for level in ladder["levels"]} == {5_00}
    assert "no letter about less than £5.00" in ladder["source"]


async def test_a_runs_items_are_listed_for_every_reason_it_counts(office) -> None:
    """Also what only the calendar or the ladder keeps back, as it was when the run was proposed."""
    office.on(TODAY)
    procedure = await office.ladder(5, 8, interval=7, debt_type="sundry")
    customer = await office.customer()
    young = await office.receivable(customer, 10_00, due_on=TODAY - timedelta(days=2))
    top = await office.receivable(customer, 30_00, due_on=TODAY - timedelta(days=30))
    for days in (10, 2):
        office.on(TODAY - timedelta(days=days))
        await office.approve(await office.propose(office.service.now.date()))
        await office.deliver_all()
    recent = await office.receivable(customer, 20_00, due_on=TODAY - timedelta(days=20))
    await office.approve(await office.propose(office.service.now.date()))
    await office.deliver_all()
    office.on(TODAY)
    run = await office.propose(TODAY)
    counted = run["found"]["not_proposed"]
    assert counted == {"not_due_yet": 1, "top_level_reached": 1, "interval_not_elapsed": 1}
    expected = {"not_due_yet": (young, 1), "top_level_reached": (top, 3), "interval_not_elapsed": (recent, 2)}
    for reason, (debt, level) in expected.items():
        [item] = await office.items(run, reason=reason)
        assert (item["receivable_id"], item["number"], item["level"]) == (debt["id"], debt["number"], level)
        assert (item["state"], item["reason"], item["outstanding_pence"]) == ("skipped", reason, debt["gross_pence"])
        assert item["procedure_id"] == (None if reason == "top_level_reached" else procedure["id"])
        assert await office.items(run, reason=reason, state="proposed") == []
        [row] = await office.csv(f"dunning-runs/{run['id']}/items/export.csv", reason=reason)
        assert (row["number"], row["customer_name"]) == (debt["number"], customer["name"])
        assert (await office.get(f"dunning-runs/{run['id']}/items/{debt['id']}"))["reason"] == reason
    [item] = await office.items(run, reason="interval_not_elapsed")
    assert (item["last_notice_on"], item["days_overdue"]) == (str(TODAY - timedelta(days=2)), 20)
    # It is a snapshot: what is paid meanwhile does not change it.
    await office.receipt(10_00, payer_reference=young["number"])
    assert (await office.items(run, reason="not_due_yet"))[0]["outstanding_pence"] == 10_00
    assert await office.items(run) == []


async def test_the_items_of_a_counted_reason_page_in_one_order(office) -> None:
    office.on(TODAY)
    customer = await office.customer()
    debts = [await office.receivable(customer, 10_00, due_on=TODAY - timedelta(days=1)) for _ in range(5)]
    run = await office.propose(TODAY)
    found = await office.get(f"dunning-runs/{run['id']}/items", reason="not_due_yet", limit=2)
    seen = found["items"]
    while found["next"]:
        found = await office.get(f"dunning-runs/{run['id']}/items", reason="not_due_yet", limit=2, cursor=found["next"])
        seen += found["items"]
    assert [item["receivable_id"] for item in seen] == sorted(debt["id"] for debt in debts)
