"""Dunning procedures, by HTTP: what makes one valid, when it applies, and the default ladder."""

from datetime import date

import pytest

TODAY = date(2026, 3, 11)


async def test_ladders_are_checked_and_dated(office) -> None:
    body = {"name": "Ladder", "effective_from": "2026-01-01", "source": "minute 12"}
    first = {"level": 1, "days_overdue": 8, "template": "reminder"}
    wrong = await office.post("dunning-procedures", {**body, "levels": [first, {**first, "level": 2}]}, status=422)
    assert wrong["errors"][0]["field"] == "levels.1.days_overdue"
    assert (await office.post("dunning-procedures", {**body, "levels": [{**first, "level": 2}]}, status=422))["code"]
    second = {**first, "level": 2, "days_overdue": 9}
    both = await office.post("dunning-procedures", {**body, "levels": [first, second]}, status=422)
    assert both["errors"][0] == {
        "field": "levels.1.interval_days",
        "problem": "two notices would leave on one day",
        "expected": "at least 1 from the second level on",
    }
    for wrong_form in ({"days_overdue": "8"}, {"minimum_pence": 5.0}):
        levels = [{**first, **wrong_form}]
        assert (await office.post("dunning-procedures", {**body, "levels": levels}, status=422))["code"] == "malformed"
    stops = [{**first, "stops": True}, {**second, "interval_days": 1}]
    assert (await office.post("dunning-procedures", {**body, "levels": stops}, status=422))[
        "code"
    ] == "levels-out-of-order"
    made = await office.post("dunning-procedures", {**body, "levels": [first]})
    assert (await office.post("dunning-procedures", {**body, "levels": [first]}, status=409))[
        "code"
    ] == "dunning-procedure-exists"
    assert (await office.get(f"dunning-procedures/{made['id']}"))["levels"][0]["days_overdue"] == 8
    [set_up] = await office.all_items(f"dunning-procedures/{made['id']}/history")
    assert set_up["action"] == "set up"
    names = [procedure["name"] for procedure in (await office.get("dunning-procedures"))["items"]]
    assert names == ["Standard ladder", "Ladder"]


async def test_a_procedure_is_run_from_its_first_day_and_for_its_debts(office) -> None:
    office.on(TODAY)
    later = await office.ladder(1, effective_from="2026-04-01", debt_type="rent")
    body = {"as_at": str(TODAY), "procedure_id": later["id"]}
    refused = await office.post("dunning-runs", body, client=office.coordinator, status=409)
    assert (refused["code"], refused["errors"][0]["field"]) == ("dunning-procedure-not-in-force", "procedure_id")
    assert refused["errors"][0]["expected"] == "as_at from 2026-04-01"
    now = await office.ladder(1, debt_type="rent")
    body = {"as_at": str(TODAY), "procedure_id": now["id"], "debt_type": "sundry"}
    refused = await office.post("dunning-runs", body, client=office.coordinator, status=409)
    assert (refused["code"], refused["errors"][0]["expected"]) == ("dunning-procedure-other-debt-type", "rent, or none")
    await office.receivable(await office.customer(), 10_00, due_on=TODAY, debt_type="rent")
    run = await office.propose(TODAY, procedure_id=now["id"], debt_type="rent")
    assert (await office.get(f"dunning-runs/{run['id']}"))["difference"] is None
    # A run by another procedure is no run over the same debts.
    everything = await office.propose(TODAY, debt_type="rent")
    assert (await office.get(f"dunning-runs/{everything['id']}"))["difference"] is None


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
    """The ladder the migration sets up: due 30 days after issue; reminder due + 7, final notice due + 21, due + 35."""
    office.on(date(2026, 1, 1))
    body = office.receivable_body(await office.customer(), 100_00, due_on=date(2026, 1, 31))
    assert body["issued_on"] == "2026-01-01"
    del body["due_on"]
    owed = await office.post("receivables", body, client=office.erp)
    assert owed["due_on"] == "2026-01-31"
    for climbed in [date(2026, 2, 7), date(2026, 2, 21)][: level - 1]:
        office.on(climbed)
        await office.approve(await office.propose(climbed))
        await office.deliver_all()
    office.on(day)
    found = await office.get(f"receivables/{owed['id']}/next-notice")
    templates = {1: "reminder", 2: "final_notice", 3: "pre_legal_notice"}
    assert (found["level"], found["template"], found["reason"]) == (level, templates[level], reason)


@pytest.mark.parametrize(
    ("template", "channel", "problem"),
    [
        ("remindr", "preferred", "there is no message template of this name"),
        ("Re/minder", "preferred", "there is no message template of this name"),
        ("plan_offer", "letter", "no dunning notice fills it in"),
        ("by_email", "email", "it has no letter"),
        ("proposed", "letter", "no second person has approved its words"),
    ],
)
async def test_r9_a_ladder_whose_template_cannot_write_its_notice_is_refused_when_it_is_saved(
    office, template: str, channel: str, problem: str
) -> None:
    office.templates |= {
        "plan_offer": office.templates["reminder"] | {"written_for": None},
        "by_email": office.templates["reminder"] | {"channels": ["email"]},
        "proposed": office.templates["reminder"] | {"status": "proposed"},
    }
    good = {"level": 1, "days_overdue": 8, "template": "reminder"}
    wrong = {"level": 2, "days_overdue": 15, "interval_days": 7, "template": template, "channel": channel}
    body = {"name": "Ladder", "effective_from": "2026-01-01", "source": "minute 12", "levels": [good, wrong]}
    refused = await office.post("dunning-procedures", body, status=422)
    assert refused["code"] == "template-not-usable"
    assert [(error["field"], error["problem"]) for error in refused["errors"]] == [("levels.1.template", problem)]
    assert len((await office.get("dunning-procedures"))["items"]) == 1
    office.templates[template] = office.templates["reminder"]
    if template.islower():
        await office.post("dunning-procedures", body)


async def test_r9_a_ladder_is_not_saved_while_its_templates_cannot_be_asked_for(office) -> None:
    office.templates = None
    body = {"name": "Ladder", "effective_from": "2026-01-01", "source": "minute 12"}
    levels = [{"level": 1, "days_overdue": 8, "template": "reminder"}]
    refused = await office.post("dunning-procedures", {**body, "levels": levels}, status=503)
    assert refused["code"] == "unavailable"
    assert len((await office.get("dunning-procedures"))["items"]) == 1
