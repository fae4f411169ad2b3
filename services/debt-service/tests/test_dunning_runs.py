"""Stories of dunning runs, by HTTP: proposals, edits and approvals."""

import csv
import io
from datetime import date, timedelta

import pytest
from council_common.contracts.debts import DunningNoticeIssuedV1
from council_common.ids import new_id
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

TODAY = date(2026, 3, 11)


async def test_a_notice_has_its_explanation(office, late) -> None:
    run = await office.propose(TODAY)
    assert (await office.get(f"receivables/{late['id']}/next-notice"))["reason"] == "in_another_proposal"
    await office.approve(run)
    [notice] = await office.notices(receivable_id=late["id"])
    assert notice["why"]["rule"].startswith("Level 1 (reminder): at least 1 days overdue")
    assert (notice["days_overdue"], notice["channel"], notice["outstanding_pence"]) == (10, "email", 100_00)
    [event] = await office.service.published(DunningNoticeIssuedV1)
    assert (str(event.notice_id), event.level, event.days_overdue) == (notice["id"], 1, 10)
    receivable = await office.get(f"receivables/{late['id']}")
    assert (receivable["dunning_level"], receivable["version"]) == (1, event.version)
    assert (await office.get("receivables", dunning_level=1))["items"][0]["id"] == late["id"]
    assert (await office.get(f"dunning-notices/{notice['id']}"))["id"] == notice["id"]


async def test_two_runs_never_propose_a_debt_twice(office, late) -> None:
    first = await office.propose(TODAY)
    second = await office.propose(TODAY)
    assert (first["found"]["proposed"], second["found"]["proposed"]) == (1, 0)
    [item] = await office.items(second)
    assert (item["decision"], item["reason"]) == ("skipped", "in_another_proposal")
    detail = await office.get(f"dunning-runs/{second['id']}")
    assert detail["difference"]["run_id"] == first["id"]
    assert detail["difference"]["by_level"] == [{"level": 1, "only_now": 0, "only_before": 1, "in_both": 0, "moved": 0}]
    await office.post(f"dunning-runs/{first['id']}/cancellations", {"note": "wrong day"})
    assert (await office.propose(TODAY))["found"]["proposed"] == 1


async def test_an_exclusion_is_kept_beside_the_snapshot(office, late) -> None:
    run = await office.propose(TODAY)
    path = f"dunning-runs/{run['id']}/items/{late['id']}"
    item = await office.post(f"{path}/exclusions", {"note": "the depot is being asked"})
    assert (item["state"], item["outstanding_pence"], item["level"]) == ("excluded", 100_00, 1)
    assert [edit["note"] for edit in item["edits"]] == ["the depot is being asked"]
    assert (await office.post(f"{path}/exclusions", {"note": "again"}, status=409))["code"] == "dunning-item-not-open"
    assert (await office.approve(run))["outcome"]["issued"] == 0
    assert (await office.propose(TODAY))["found"]["proposed"] == 1


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
        json={"suppressed": True, "note": "solicitor acting"},
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
    assert (await office.get(f"receivables/{small['id']}/next-notice"))["reason"] == "below_minimum"
    export = await office.officer.get(f"/v1/dunning-runs/{last['id']}/items/export.csv")
    assert export.status_code == 200
    rows = list(csv.DictReader(io.StringIO(export.content.decode("utf-8-sig"))))
    assert sorted((row["number"], row["reason"]) for row in rows) == sorted(
        (item["number"], item["reason"]) for item in (await office.get(f"dunning-runs/{last['id']}/items"))["items"]
    )
    assert (await office.officer.get(f"/v1/dunning-runs/{new_id()}/items/export.csv")).status_code == 404


async def test_a_run_over_debts_that_do_not_exist_is_refused(office, late) -> None:
    wrong = {"debt_type": "sundrey", "department": late["department"]}
    answer = await office.post("dunning-runs", {"as_at": str(TODAY), **wrong}, status=422, client=office.coordinator)
    assert answer["code"] == "no-such-debts"
    [error] = answer["errors"]
    assert (error["field"], error["expected"]) == ("debt_type", f"one of {late['debt_type']}")


async def test_a_run_as_at_a_future_day_is_refused(office) -> None:
    office.on(TODAY)
    answer = await office.post("dunning-runs", {"as_at": "2026-03-12"}, status=422)
    assert answer["code"] == "date-in-future"
    run = await office.propose(TODAY)
    answer = await office.post(f"dunning-runs/{run['id']}/approvals", {"issued_on": "2026-03-10"}, status=422)
    assert answer["code"] == "issue-day"


async def test_why_there_is_no_notice_of_a_debt_with_nothing_owed(office) -> None:
    office.on(TODAY)
    customer = await office.customer()
    paid = await office.receivable(customer, 10_00, due_on=TODAY - timedelta(days=60))
    cancelled = await office.receivable(customer, 11_00, due_on=TODAY - timedelta(days=60))
    await office.receipt(10_00, payer_reference=paid["number"])
    await office.cancel(cancelled, "duplicate")
    for debt, reason in ((paid, "settled"), (cancelled, "cancelled")):
        found = await office.get(f"receivables/{debt['id']}/next-notice")
        assert (found["due"], found["reason"], found["level"]) == (False, reason, None)


async def test_a_snapshot_is_kept(office, late) -> None:
    await office.propose(TODAY)
    for statement in ("DELETE FROM dunning_item", "UPDATE dunning_item SET level = 2"):
        with pytest.raises(DBAPIError, match="snapshot"):
            async with office.service.runtime.sessions.begin() as session:
                await session.execute(text(statement))
