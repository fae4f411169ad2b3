"""Stories of dunning runs, by HTTP (receivables.md §1.5 D1-D4)."""

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from council_common.contracts.debts import DunningNoticeIssuedV1
from council_common.contracts.notifications import MessageDeliveredV1, MessageFailedV1, MessageSentV1
from council_common.ids import new_id
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

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
    await office.hold(customer_id=late["customer_id"], kind="breathing_space", ends_on="2026-05-10")
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
    [notice] = await office.notices()
    await office.service.deliver(office.message(MessageSentV1, notice["id"]))
    office.on(TODAY + timedelta(days=7))
    waiting = await office.propose(office.service.now.date())
    assert waiting["found"]["not_proposed"] == {"previous_not_delivered": 1}
    assert (await office.ask(f"receivables/{late['id']}/next-notice"))["reason"] == "previous_not_delivered"
    await office.service.deliver(office.message(MessageDeliveredV1, notice["id"]))
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
    assert (await office.notices())[0]["sent_on"] == str(TODAY)


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
    rows = list(csv.DictReader(io.StringIO(export.content.decode("utf-8-sig"))))
    assert sorted((row["number"], row["reason"]) for row in rows) == sorted(
        (each["number"], each["reason"]) for each in (await office.ask(f"dunning-runs/{last['id']}/items"))["items"]
    )
    assert (await office.officer.get(f"/v1/dunning-runs/{new_id()}/items/export.csv")).status_code == 404


async def test_a_run_over_debts_that_nobody_has_is_refused(office, late) -> None:
    wrong = {"debt_type": "sundrey", "department": late["department"]}
    answer = await office.tell("dunning-runs", {"as_at": str(TODAY), **wrong}, status=422, client=office.coordinator)
    assert answer["code"] == "no-such-debts"
    [error] = answer["errors"]
    assert (error["field"], error["expected"]) == ("debt_type", f"one of {late['debt_type']}")


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
    second = {**first, "level": 2, "days_overdue": 9}
    both = await office.tell("dunning-procedures", {**body, "levels": [first, second]}, status=422)
    assert both["errors"][0] == {
        "field": "levels.1.interval_days",
        "problem": "two letters on one day",
        "expected": "at least 1 from the second level on",
    }
    for wrong_form in ({"days_overdue": "8"}, {"minimum_pence": 5.0}):
        levels = [{**first, **wrong_form}]
        assert (await office.tell("dunning-procedures", {**body, "levels": levels}, status=422))["code"] == "malformed"
    stops = [{**first, "stops": True}, {**second, "interval_days": 1}]
    assert (await office.tell("dunning-procedures", {**body, "levels": stops}, status=422))[
        "code"
    ] == "levels-out-of-order"
    made = await office.tell("dunning-procedures", {**body, "levels": [first]})
    assert (await office.tell("dunning-procedures", {**body, "levels": [first]}, status=409))[
        "code"
    ] == "dunning-procedure-exists"
    assert (await office.ask(f"dunning-procedures/{made['id']}"))["levels"][0]["days_overdue"] == 8
    [set_up] = await office.ask(f"dunning-procedures/{made['id']}/history")
    assert set_up["action"] == "set_up"
    names = [each["name"] for each in (await office.ask("dunning-procedures"))["items"]]
    assert names == ["Standard ladder", "Ladder"]


async def test_only_its_own_message_tells_of_a_notice(office, late) -> None:
    """Anybody with messages:write may write by hand about any id: that proves nothing."""
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    deliver, message = office.service.deliver, office.message
    await deliver(message(MessageDeliveredV1, notice["id"], about_kind="payment"))
    await deliver(message(MessageDeliveredV1, notice["id"], template="by_hand"))
    assert (await office.notices())[0]["delivery_status"] == "issued"
    await deliver(message(MessageSentV1, notice["id"]))
    await deliver(message(MessageDeliveredV1, notice["id"], message_id=new_id()))
    assert (await office.notices())[0]["delivery_status"] == "sent"
    await deliver(message(MessageDeliveredV1, notice["id"]))
    assert (await office.notices())[0]["delivery_status"] == "delivered"


async def test_a_letter_that_never_left_is_no_step_on_the_ladder(office, late) -> None:
    """D1, D2: a hold stops the queued reminder; after it the reminder goes first, not the final notice."""
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    hold = await office.hold(receivable_id=late["id"])
    stopped = office.message(MessageFailedV1, notice["id"], reason="cancelled", was_sent=False)
    await office.service.deliver(stopped)
    await office.service.deliver(stopped)
    back = await office.ask(f"receivables/{late['id']}")
    assert (back["dunning_level"], back["last_notice_on"], back["last_notice_sent_on"]) == (0, None, None)
    actions = [each["action"] for each in await office.ask(f"receivables/{late['id']}/history")]
    assert actions[-1] == "level_reset:0"
    await office.tell(f"holds/{hold['id']}/releases", {"reason": "bins found"})
    office.on(TODAY + timedelta(days=30))
    run = await office.propose(office.service.now.date())
    assert [each["level"] for each in await office.items(run, state="proposed")] == [1]
    await office.approve(run)
    assert [each["level"] for each in await office.notices()] == [1, 1]


async def _second_never_leaves(office) -> Any:
    """The first letter arrives; the second, of the eighth day after, meets no template."""
    await office.approve(await office.propose(TODAY))
    await office.deliver_all()
    office.on(TODAY + timedelta(days=8))
    await office.approve(await office.propose(office.service.now.date()))
    second = (await office.notices(level=2))[0]
    unknown = office.message(MessageFailedV1, second["id"], reason="template_unknown", was_sent=False)
    await office.service.deliver(unknown)
    return second


async def test_what_never_left_leaves_the_step_before(office, late) -> None:
    """A mistyped template at level 2: the debt stands at level 1, and its interval counts from that letter."""
    second = await _second_never_leaves(office)
    stands = await office.ask(f"receivables/{late['id']}")
    assert (stands["dunning_level"], stands["last_notice_on"], stands["last_notice_sent_on"]) == (
        1,
        str(TODAY),
        str(TODAY),
    )
    # It is sent again by hand after all: then it counts, from the day it left.
    office.on(TODAY + timedelta(days=10))
    again = office.message(MessageSentV1, second["id"], message_id=new_id())
    await office.service.deliver(again)
    stands = await office.ask(f"receivables/{late['id']}")
    assert (stands["dunning_level"], stands["last_notice_sent_on"]) == (2, str(TODAY + timedelta(days=10)))


@pytest.mark.parametrize("reason", ["no_address", "address_invalid", "address_refused", "recipient_unknown"])
async def test_nobody_is_written_to_at_an_address_that_failed(office, late, reason: str) -> None:
    """OCA credit-control #447: a blacklisted address left lines queued for ever. Here an officer sees the debt."""
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    await office.service.deliver(office.message(MessageFailedV1, notice["id"], reason=reason, was_sent=False))
    for days in (0, 1, 30):
        office.on(TODAY + timedelta(days=days))
        run = await office.propose(office.service.now.date())
        assert run["found"]["not_proposed"] == {"undeliverable": 1}
        [item] = await office.items(run, state="skipped")
        assert (item["receivable_id"], item["level"], item["reason"]) == (late["id"], 1, "undeliverable")
    assert (await office.ask(f"receivables/{late['id']}/next-notice"))["reason"] == "undeliverable"
    # What changes nothing about how they are reached changes nothing here; their right address does.
    path = f"/v1/customers/{late['customer_id']}"
    for version, body, expected in ((1, {"language": "cy"}, 0), (2, {"email": "right@example.com"}, 1)):
        answer = await office.officer.patch(path, json=body, headers={"if-match": f'"{version}"'})
        assert answer.status_code == 200, answer.text
        run = await office.propose(office.service.now.date())
        assert run["found"]["proposed"] == expected
    await office.approve(run)
    # The older one, withdrawn because of this one, changes nothing.
    superseded = office.message(MessageFailedV1, notice["id"], reason="superseded", was_sent=False)
    await office.service.deliver(superseded)
    assert [each["delivery_status"] for each in await office.notices(level=1)] == ["failed", "issued"]
    assert (await office.ask(f"receivables/{late['id']}"))["dunning_level"] == 1


@pytest.mark.parametrize(("days", "proposed"), [(8 + 6, 0), (8 + 7, 1)])
async def test_what_never_left_waits_for_its_interval_too(office, late, days: int, proposed: int) -> None:
    """Level 2 has an interval of 7 days; its letter of day 8 met no template."""
    await _second_never_leaves(office)
    office.on(TODAY + timedelta(days=days))
    found = (await office.propose(office.service.now.date()))["found"]
    assert (found["proposed"], found["not_proposed"].get("interval_not_elapsed", 0)) == (proposed, 1 - proposed)
    assert (await office.ask(f"receivables/{late['id']}/next-notice"))["level"] == 2


async def test_what_came_back_after_it_left_stays_a_step(office, late) -> None:
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    await office.service.deliver(office.message(MessageFailedV1, notice["id"], reason="address_refused"))
    stands = await office.ask(f"receivables/{late['id']}")
    assert (stands["dunning_level"], stands["last_notice_sent_on"]) == (1, str(TODAY))


@pytest.mark.parametrize(("day", "reason"), [(date(2026, 3, 28), "interval_not_elapsed"), (date(2026, 3, 29), None)])
async def test_the_interval_counts_from_the_day_the_letter_left(office, day: date, reason: str | None) -> None:
    """D1 b: proposed on 1 March, approved and mailed on the 15th under the date of the 1st; interval 14 days.

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
    assert (await office.ask(f"receivables/{owed['id']}/next-notice"))["reason"] == reason
    found = await office.propose(day)
    assert found["found"]["proposed"] == (reason is None)


async def test_two_officers_cannot_send_the_ladder_in_one_day(office) -> None:
    """D1 b, "days since last notice *sent*": runs dated back to 1 and 15 March, both approved on the 20th."""
    office.on(date(2026, 1, 1))
    await office.ladder(7, 21, interval=14)
    owed = await office.receivable(await office.customer(), 100_00, due_on=date(2026, 1, 28))
    office.on(date(2026, 3, 20))
    first = await office.propose(date(2026, 3, 1))
    await office.approve(first, issued_on=date(2026, 3, 1))
    await office.deliver_all()
    for day in (date(2026, 3, 15), date(2026, 3, 20)):
        assert (await office.propose(day))["found"]["not_proposed"] == {"interval_not_elapsed": 1}
        found = await office.ask(f"receivables/{owed['id']}/next-notice", as_at=str(day))
        assert found["reason"] == "interval_not_elapsed"
    assert [each["sent_on"] for each in await office.notices()] == ["2026-03-20"]
    office.on(date(2026, 4, 3))
    assert (await office.propose(date(2026, 4, 3)))["found"]["proposed"] == 1


async def test_a_replay_of_past_days_counts_from_the_days_it_is_dated(office) -> None:
    """As at days before the debt was known here: every letter leaves today, the ladder goes on as it would have."""
    office.on(TODAY)
    await office.ladder(7, 21, interval=14)
    await office.receivable(await office.customer(), 100_00, due_on=date(2025, 3, 1))
    for day, level in ((date(2025, 3, 8), 1), (date(2025, 3, 22), 2)):
        run = await office.propose(day)
        assert run["found"]["by_level"] == [{"level": level, "debts": 1, "outstanding_pence": 100_00}]
        await office.approve(run, issued_on=day)
        await office.deliver_all()
    assert {each["sent_on"] for each in await office.notices()} == {str(TODAY)}
    assert (await office.notices(level=2))[0]["why"]["days_since_last_notice"] == 14


@pytest.mark.parametrize(
    ("day", "level", "reason"),
    [
        (date(2026, 2, 6), 1, "not_due_yet"),
        (date(2026, 2, 7), 1, None),  # due + 7
        (date(2026, 2, 20), 2, "not_due_yet"),
        (date(2026, 2, 21), 2, None),  # due + 21
        (date(2026, 3, 6), 3, "not_due_yet"),
        (date(2026, 3, 7), 3, None),  # due + 35
    ],
)
async def test_the_default_ladder(office, day: date, level: int, reason: str | None) -> None:
    """receivables.md §2.1: due = invoice date + 30; reminder due + 7, final notice due + 21, due + 35."""
    office.on(date(2026, 1, 1))
    body = office.receivable_body(await office.customer(), 100_00, due_on=date(2026, 1, 31))
    assert body["issued_on"] == "2026-01-01"
    del body["due_on"]
    owed = await office.tell("receivables", body, client=office.erp)
    assert owed["due_on"] == "2026-01-31"
    for climbed in [date(2026, 2, 7), date(2026, 2, 21)][: level - 1]:
        office.on(climbed)
        await office.approve(await office.propose(climbed))
        await office.deliver_all()
    office.on(day)
    found = await office.ask(f"receivables/{owed['id']}/next-notice")
    templates = {1: "reminder", 2: "final_notice", 3: "pre_legal_notice"}
    assert (found["level"], found["template"], found["reason"]) == (level, templates[level], reason)


async def _drop(office, late: Any, run: Any, reason: str) -> None:
    """The debt of a proposal was dropped at approval, and no letter was issued."""
    before = len(await office.service.published(DunningNoticeIssuedV1))
    assert (await office.approve(run))["outcome"]["dropped"] == {reason: 1}
    assert len(await office.service.published(DunningNoticeIssuedV1)) == before


async def test_a_customer_suppressed_since_the_proposal(office, late) -> None:
    run = await office.propose(TODAY)
    path = f"/v1/customers/{late['customer_id']}"
    answer = await office.officer.patch(path, json={"suppressed": True}, headers={"if-match": '"1"'})
    assert answer.status_code == 200
    await _drop(office, late, run, "customer_suppressed")


async def test_a_notice_sent_again_since_the_proposal(office, late) -> None:
    """D1 d: level 1 failed, level 2 is proposed, somebody sends level 1 again: level 2 waits."""
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    await office.service.deliver(office.message(MessageFailedV1, notice["id"], reason="mailbox_full"))
    office.on(TODAY + timedelta(days=8))
    under_way = await office.propose(office.service.now.date())
    again = {"message_id": new_id()}
    await office.service.deliver(office.message(MessageSentV1, notice["id"], **again))
    await _drop(office, late, under_way, "previous_not_delivered")
    office.on(TODAY + timedelta(days=9))
    await office.service.deliver(office.message(MessageFailedV1, notice["id"], reason="mailbox_full", **again))
    office.on(TODAY + timedelta(days=20))
    arrived = await office.propose(office.service.now.date())
    assert arrived["found"]["proposed"] == 1
    again = {"message_id": new_id()}
    await office.service.deliver(office.message(MessageSentV1, notice["id"], **again))
    await office.service.deliver(office.message(MessageDeliveredV1, notice["id"], **again))
    await _drop(office, late, arrived, "interval_not_elapsed")


async def test_a_notice_that_never_left_and_leaves_after_the_proposal(office, late) -> None:
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    stopped = office.message(MessageFailedV1, notice["id"], reason="on_hold", was_sent=False)
    await office.service.deliver(stopped)
    assert (await office.propose(TODAY))["found"]["not_proposed"] == {"interval_not_elapsed": 1}
    office.on(TODAY + timedelta(days=1))
    run = await office.propose(TODAY + timedelta(days=1))
    assert [each["level"] for each in await office.items(run)] == [1]
    await office.service.deliver(office.message(MessageDeliveredV1, notice["id"], message_id=new_id()))
    await _drop(office, late, run, "level_changed")


async def test_a_procedure_is_run_in_its_time_and_for_its_debts(office) -> None:
    office.on(TODAY)
    later = await office.ladder(1, effective_from="2026-04-01", debt_type="rent")
    body = {"as_at": str(TODAY), "procedure_id": later["id"]}
    refused = await office.tell("dunning-runs", body, client=office.coordinator, status=409)
    assert (refused["code"], refused["errors"][0]["field"]) == ("dunning-procedure-not-in-force", "procedure_id")
    assert refused["errors"][0]["expected"] == "as_at from 2026-04-01"
    now = await office.ladder(1, debt_type="rent")
    body = {"as_at": str(TODAY), "procedure_id": now["id"], "debt_type": "sundry"}
    refused = await office.tell("dunning-runs", body, client=office.coordinator, status=409)
    assert (refused["code"], refused["errors"][0]["expected"]) == ("dunning-procedure-other-debt-type", "rent, or none")
    await office.receivable(await office.customer(), 10_00, due_on=TODAY, debt_type="rent")
    run = await office.propose(TODAY, procedure_id=now["id"], debt_type="rent")
    assert (await office.ask(f"dunning-runs/{run['id']}"))["difference"] is None
    # A run by another procedure is no run over the same debts.
    everything = await office.propose(TODAY, debt_type="rent")
    assert (await office.ask(f"dunning-runs/{everything['id']}"))["difference"] is None


async def test_why_none_of_a_debt_nobody_owes(office) -> None:
    office.on(TODAY)
    customer = await office.customer()
    paid = await office.receivable(customer, 10_00, due_on=TODAY - timedelta(days=60))
    cancelled = await office.receivable(customer, 11_00, due_on=TODAY - timedelta(days=60))
    await office.receipt(10_00, payer_reference=paid["number"])
    await office.tell(f"receivables/{cancelled['id']}/cancellations", {"reason": "duplicate"})
    for debt, reason in ((paid, "settled"), (cancelled, "cancelled")):
        found = await office.ask(f"receivables/{debt['id']}/next-notice")
        assert (found["due"], found["reason"], found["level"]) == (False, reason, None)


async def test_a_snapshot_is_kept(office, late) -> None:
    await office.propose(TODAY)
    for statement in ("DELETE FROM dunning_item", "UPDATE dunning_item SET level = 2"):
        with pytest.raises(DBAPIError, match="snapshot"):
            async with office.service.runtime.sessions.begin() as session:
                await session.execute(text(statement))
