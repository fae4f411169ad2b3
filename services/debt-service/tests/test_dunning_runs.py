"""Stories of dunning runs, by HTTP (receivables.md §1.5 D1-D4)."""

from datetime import date, timedelta

import pytest
from council_common.contracts.debts import DunningNoticeIssuedV1
from council_common.contracts.notifications import MessageDeliveredV1, MessageFailedV1, MessageSentV1

TODAY = date(2026, 3, 11)


@pytest.fixture
async def late(office):
    """A debt ten days late, on a ladder of 1, 8, 15 and 29 days with seven days between letters."""
    office.on(TODAY)
    await office.ladder(1, 8, 15, 29, interval=7)
    return await office.receivable(await office.customer(), 100_00, due_on=TODAY - timedelta(days=10))


async def test_a_notice_says_why(office, late) -> None:
    run = await office.propose(TODAY)
    assert (await office.ask(f"receivables/{late['id']}/next-notice"))["reason"] == "in_another_proposal"
    await office.approve(run)
    [notice] = await office.notices(receivable_id=late["id"])
    assert notice["why"]["rule"].startswith("Level 1 (reminder): at least 1 days overdue")
    assert (notice["days_overdue"], notice["channel"], notice["outstanding_pence"]) == (10, "email", 100_00)
    [event] = await office.service.published(DunningNoticeIssuedV1)
    assert (str(event.notice_id), event.level, event.days_overdue) == (notice["id"], 1, 10)
    receivable = await office.ask(f"receivables/{late['id']}")
    assert (receivable["dunning_level"], receivable["version"]) == (1, event.version)
    assert (await office.ask("receivables", level=1))["items"][0]["id"] == late["id"]
    assert (await office.ask(f"dunning-notices/{notice['id']}"))["id"] == notice["id"]


async def test_whoever_proposed_never_approves(office, late) -> None:
    run = await office.tell("dunning-runs", {"as_at": str(TODAY)}, client=office.officer)
    refused = await office.tell(f"dunning-runs/{run['id']}/approvals", status=403)
    assert refused["code"] == "own-request"
    await office.tell(f"dunning-runs/{run['id']}/approvals", client=office.coordinator, status=403)
    other = office.service.as_("debt_recovery_officer", "second officer")
    await office.tell(f"dunning-runs/{run['id']}/approvals", client=other)
    assert (await office.tell(f"dunning-runs/{run['id']}/approvals", client=other, status=409))[
        "code"
    ] == "illegal-move"


async def test_two_runs_never_propose_a_debt_twice(office, late) -> None:
    first = await office.propose(TODAY)
    second = await office.propose(TODAY)
    assert (first["found"]["proposed"], second["found"]["proposed"]) == (1, 0)
    [item] = await office.items(second)
    assert (item["decision"], item["reason"]) == ("skipped", "in_another_proposal")
    detail = await office.ask(f"dunning-runs/{second['id']}")
    assert detail["difference"]["run_id"] == first["id"]
    assert detail["difference"]["by_level"] == [{"level": 1, "only_now": 0, "only_before": 1, "in_both": 0, "moved": 0}]
    await office.tell(f"dunning-runs/{first['id']}/cancellations", {"reason": "wrong day"})
    assert (await office.propose(TODAY))["found"]["proposed"] == 1


async def test_a_hold_between_proposal_and_approval_drops_the_line(office, late) -> None:
    run = await office.propose(TODAY)
    hold = {"customer_id": late["customer_id"], "kind": "breathing_space", "reason": "moratorium", "owner": "debt team"}
    await office.tell("holds", {**hold, "review_on": "2026-04-05", "ends_on": "2026-05-10"})
    approved = await office.approve(run)
    assert approved["outcome"] == {"issued": 0, "by_level": [], "dropped": {"on_hold:breathing_space": 1}}
    [item] = await office.items(run)
    assert (item["state"], item["reason"]) == ("dropped", "on_hold:breathing_space")
    assert await office.service.published(DunningNoticeIssuedV1) == []


async def test_payments_between_proposal_and_approval(office, late) -> None:
    other = await office.receivable(await office.customer(), 80_00, due_on=TODAY - timedelta(days=3))
    run = await office.propose(TODAY)
    await office.receipt(100_00, payer_reference=late["number"])
    await office.receipt(30_00, payer_reference=other["number"])
    approved = await office.approve(run)
    assert approved["outcome"]["dropped"] == {"settled": 1}
    [notice] = await office.notices()
    assert (notice["receivable_id"], notice["outstanding_pence"]) == (other["id"], 50_00)


async def test_an_exclusion_is_an_event_beside_the_snapshot(office, late) -> None:
    run = await office.propose(TODAY)
    path = f"dunning-runs/{run['id']}/items/{late['id']}"
    item = await office.tell(f"{path}/exclusions", {"reason": "the depot is being asked"})
    assert (item["state"], item["outstanding_pence"], item["level"]) == ("excluded", 100_00, 1)
    assert [each["reason"] for each in item["events"]] == ["the depot is being asked"]
    assert (await office.tell(f"{path}/exclusions", {"reason": "again"}, status=409))["code"] == "dunning-item-not-open"
    assert (await office.approve(run))["outcome"]["issued"] == 0
    assert (await office.propose(TODAY))["found"]["proposed"] == 1


async def test_the_next_letter_waits_for_the_interval_and_for_the_proof_of_the_last(office, late) -> None:
    await office.approve(await office.propose(TODAY))
    office.on(TODAY + timedelta(days=7))
    waiting = await office.propose(office.service.now.date())
    assert waiting["found"]["not_proposed"] == {"previous_not_delivered": 1}
    assert (await office.ask(f"receivables/{late['id']}/next-notice"))["reason"] == "previous_not_delivered"
    await office.deliver_all()
    early = await office.propose(TODAY + timedelta(days=6))
    assert early["found"]["not_proposed"] == {"interval_not_elapsed": 1}
    due = await office.propose(office.service.now.date())
    assert due["found"]["by_level"] == [{"level": 2, "debts": 1, "outstanding_pence": 100_00}]


async def test_a_failed_notice_is_final_and_a_late_fact_never_overwrites_it(office, late) -> None:
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    deliver, message = office.service.deliver, office.message
    await deliver(message(MessageSentV1, notice["id"]))
    await deliver(message(MessageFailedV1, notice["id"], reason="address_refused"))
    [notice] = await office.notices()
    assert (notice["delivery_status"], notice["failure_reason"]) == ("failed", "address_refused")
    await deliver(message(MessageDeliveredV1, notice["id"]))
    await deliver(message(MessageSentV1, notice["id"]))
    assert (await office.notices())[0]["delivery_status"] == "delivered"
    other = message(MessageSentV1, notice["id"])
    await deliver(other.model_copy(update={"about_kind": "payment"}))


async def test_minimum_suppression_top_level_and_scope(office) -> None:
    office.on(TODAY)
    due_on = TODAY - timedelta(days=10)
    level = {"level": 1, "days_overdue": 1, "template": "reminder", "minimum_pence": 5_00}
    procedure = await office.ladder(levels=[level])
    small = await office.receivable(await office.customer(), 4_99, due_on=due_on)
    quiet = await office.customer()
    await office.receivable(quiet, 50_00, due_on=due_on)
    await office.receivable(await office.customer(), 50_00, due_on=due_on, department="leisure")
    answer = await office.officer.patch(
        f"/v1/customers/{quiet['id']}",
        json={"suppressed": True, "reason": "solicitor acting"},
        headers={"if-match": '"1"'},
    )
    assert answer.status_code == 200
    run = await office.propose(TODAY, procedure_id=procedure["id"], department="commercial_waste")
    assert run["found"]["not_proposed"] == {"below_minimum": 1, "customer_suppressed": 1}
    run = await office.propose(TODAY)
    assert run["found"]["by_level"] == [{"level": 1, "debts": 1, "outstanding_pence": 50_00}]
    await office.approve(run)
    await office.deliver_all()
    last = await office.propose(TODAY)
    assert last["found"]["not_proposed"] == {"below_minimum": 1, "customer_suppressed": 1, "top_level_reached": 1}
    assert (await office.ask(f"receivables/{small['id']}/next-notice"))["reason"] == "below_minimum"
    export = await office.officer.get(f"/v1/dunning-runs/{last['id']}/items/export.csv")
    assert export.status_code == 200
    assert len(export.text.splitlines()) == 3


async def test_a_run_does_not_look_into_the_future(office) -> None:
    office.on(TODAY)
    answer = await office.tell("dunning-runs", {"as_at": "2026-03-12"}, status=422)
    assert answer["code"] == "date-in-future"
    run = await office.propose(TODAY)
    answer = await office.tell(f"dunning-runs/{run['id']}/approvals", {"issued_on": "2026-03-10"}, status=409)
    assert answer["code"] == "issue-day"


async def test_ladders_are_checked_and_dated(office) -> None:
    body = {"name": "Ladder", "effective_from": "2026-01-01", "source": "minute 12"}
    first = {"level": 1, "days_overdue": 8, "template": "reminder"}
    wrong = await office.tell("dunning-procedures", {**body, "levels": [first, {**first, "level": 2}]}, status=422)
    assert wrong["errors"][0]["field"] == "levels.1.days_overdue"
    assert (await office.tell("dunning-procedures", {**body, "levels": [{**first, "level": 2}]}, status=422))["code"]
    stops = [{**first, "stops": True}, {**first, "level": 2, "days_overdue": 9}]
    assert (await office.tell("dunning-procedures", {**body, "levels": stops}, status=422))[
        "code"
    ] == "levels-out-of-order"
    made = await office.tell("dunning-procedures", {**body, "levels": [first]})
    assert (await office.tell("dunning-procedures", {**body, "levels": [first]}, status=409))[
        "code"
    ] == "dunning-procedure-exists"
    assert (await office.ask(f"dunning-procedures/{made['id']}"))["levels"][0]["days_overdue"] == 8
    names = [each["name"] for each in (await office.ask("dunning-procedures"))["items"]]
    assert names == ["Standard ladder", "Ladder"]
