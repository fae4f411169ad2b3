"""Holds, by HTTP."""

from datetime import date, timedelta

import pytest
from council_common.contracts.debts import HoldPlacedV1, HoldReleasedV1
from debt_service.arrangements.holds.rules import HoldReason
from debt_service.main import SERVICE

TODAY = date(2026, 3, 11)


async def test_a_hold_on_a_customer_reaches_what_is_owed_and_what_is_raised_later(office) -> None:
    customer = await office.customer()
    first = await office.receivable(customer, 10_00, due_on=TODAY)
    paid = await office.receivable(customer, 11_00, due_on=TODAY)
    receipt = await office.receipt(11_00, payer_reference=paid["number"])
    hold = await office.hold(customer_id=customer["id"], reason="vulnerability")
    later = await office.receivable(customer, 20_00, due_on=TODAY)
    assert later["on_hold"]
    await office.post(f"receipts/{receipt['id']}/reversals", {"reason": "refer_to_payer"})
    held = (await office.get("receivables", on_hold=True))["items"]
    assert {receivable["id"] for receivable in held} == {first["id"], paid["id"], later["id"]}
    [event] = await office.service.published(HoldPlacedV1)
    assert (str(event.receivable_id), event.kind, str(event.hold_id)) == (first["id"], "other", hold["id"])
    own = await office.hold(receivable_id=first["id"])
    await office.release(hold, "assessed")
    assert [receivable["id"] for receivable in (await office.get("receivables", on_hold=True))["items"]] == [
        first["id"]
    ]
    assert len(await office.service.published(HoldReleasedV1)) == 3
    assert (await office.release(hold, status=409))["code"] == "hold-already-released"
    found = await office.get("holds", receivable_id=first["id"], released=False)
    assert [hold["id"] for hold in found["items"]] == [own["id"]]
    history = await office.all_items(f"holds/{hold['id']}/history")
    assert [change["action"] for change in history] == ["placed", "released"]


async def test_a_hold_ends_after_its_last_day(office) -> None:
    receivable = await office.receivable(await office.customer(), 10_00, due_on=TODAY)
    hold = await office.hold(receivable_id=receivable["id"], review_on=str(TODAY), ends_on=str(TODAY))
    job = next(job for job in SERVICE.jobs if job.name == "end-holds")
    await office.service.run_job(job)
    assert (await office.get(f"holds/{hold['id']}"))["released_at"] is None
    office.on(TODAY + timedelta(days=1))
    assert (await office.get(f"receivables/{receivable['id']}/next-notice"))["reason"] == "not_due_yet"
    await office.service.run_job(job)
    assert (await office.get(f"holds/{hold['id']}"))["release_reason"] == "expired"
    assert not (await office.get(f"receivables/{receivable['id']}"))["on_hold"]


@pytest.mark.parametrize("reason", ["deceased", "breathing_space"])
async def test_what_is_true_of_a_person_holds_all_their_debts(office, reason: str) -> None:
    """A death and a moratorium are recorded on one debt; no notice about another leaves, in no run, until it ends."""
    await office.ladder(1, 8)
    customer = await office.customer()
    named, other = [await office.receivable(customer, 10_00, due_on=TODAY - timedelta(days=9)) for _ in range(2)]
    neighbour = await office.receivable(await office.customer(), 10_00, due_on=TODAY - timedelta(days=9))
    run = await office.propose(TODAY)
    hold = await office.hold(receivable_id=named["id"], reason=reason)
    assert (hold["receivable_id"], hold["holds_all"]) == (named["id"], True)
    later = await office.receivable(customer, 10_00, due_on=TODAY - timedelta(days=9))
    assert (await office.get(f"customers/{customer['id']}"))["on_hold"]
    approved = await office.approve(run)
    assert approved["outcome"]["dropped"] == {f"on_hold:{reason}": 2}
    assert [notice["receivable_id"] for notice in await office.notices()] == [neighbour["id"]]
    assert (await office.propose(TODAY))["found"]["not_proposed"].get(f"on_hold:{reason}") == 3
    for debt in (named, other, later):
        assert (await office.get(f"receivables/{debt['id']}/next-notice"))["reason"] == f"on_hold:{reason}"
        assert [one["id"] for one in (await office.get("holds", receivable_id=debt["id"]))["items"]] == [hold["id"]]
    placed = await office.service.published(HoldPlacedV1)
    assert {str(event.receivable_id) for event in placed} == {named["id"], other["id"]}
    await office.release(hold, "recorded in error")
    assert not (await office.get(f"customers/{customer['id']}"))["on_hold"]
    assert (await office.get("receivables", on_hold=True))["items"] == []
    released = await office.service.published(HoldReleasedV1)
    assert {str(event.receivable_id) for event in released} == {named["id"], other["id"], later["id"]}


async def test_the_end_of_one_hold_ends_no_other_of_the_person(office) -> None:
    customer = await office.customer()
    one, other = [await office.receivable(customer, 10_00, due_on=TODAY) for _ in range(2)]
    death = await office.hold(receivable_id=one["id"], reason="deceased")
    space = await office.hold(receivable_id=other["id"], reason="breathing_space")
    await office.release(space, "cancelled by the adviser")
    assert (await office.get(f"customers/{customer['id']}"))["on_hold"]
    assert len((await office.get("receivables", on_hold=True))["items"]) == 2
    await office.release(death, "another person of that name")
    assert (await office.get("receivables", on_hold=True))["items"] == []


async def test_a_death_is_recorded_on_a_debt_that_is_paid_and_does_not_end_by_the_calendar(office) -> None:
    customer = await office.customer()
    paid = await office.receivable(customer, 10_00, due_on=TODAY)
    owed = await office.receivable(customer, 20_00, due_on=TODAY)
    await office.receipt(10_00, payer_reference=paid["number"])
    hold = await office.hold(receivable_id=paid["id"], reason="deceased")
    office.on(TODAY + timedelta(days=3_650))
    await office.service.run_job(next(job for job in SERVICE.jobs if job.name == "end-holds"))
    assert (await office.get(f"holds/{hold['id']}"))["released_at"] is None
    assert (await office.get(f"receivables/{owed['id']}/next-notice"))["reason"] == "on_hold:deceased"


async def test_a_hold_has_a_last_day_where_it_can_have_one(office) -> None:
    receivable = await office.receivable(await office.customer(), 10_00, due_on=TODAY)
    for reason, last_day, status in (
        ("deceased", "2027-03-11", 422),
        ("dispute", None, 422),
        ("breathing_space", None, 201),
        ("breathing_space", "2026-05-10", 201),
    ):
        answer = await office.hold(receivable_id=receivable["id"], reason=reason, ends_on=last_day, status=status)
        assert status == 201 or (answer["code"], answer["errors"][0]["field"]) == ("hold-last-day", "ends_on")


async def test_a_hold_has_dates_ahead_and_something_to_hold(office) -> None:
    receivable = await office.receivable(await office.customer(), 10_00, due_on=TODAY)
    for days, code, field in (
        ({"review_on": "2026-03-10"}, "date-too-early", "review_on"),
        ({"review_on": "2026-04-01", "ends_on": "2026-03-31"}, "dates-out-of-order", "ends_on"),
    ):
        refused = await office.hold(receivable_id=receivable["id"], status=422, **days)
        assert (refused["code"], refused["errors"][0]["field"]) == (code, field)
    assert (await office.hold(status=422))["code"] == "malformed"
    # Always with a reason, a note, an owner, a review day and a last day.
    for missing in ("reason", "note", "owner", "review_on", "ends_on"):
        body = office.hold_body(receivable_id=receivable["id"])
        del body[missing]
        refused = await office.post("holds", body, status=422)
        assert refused["errors"][0]["field"] == missing
    await office.receipt(10_00, payer_reference=receivable["number"])
    assert (await office.hold(receivable_id=receivable["id"], status=409))["code"] == "nothing-owed"


@pytest.mark.parametrize(
    ("reason", "category"),
    [
        *((reason, "other") for reason in HoldReason if reason != "breathing_space"),
        ("breathing_space", "breathing_space"),
    ],
)
async def test_why_a_debt_is_held_is_not_published(office, reason: str, category: str) -> None:
    receivable = await office.receivable(await office.customer(), 10_00, due_on=TODAY)
    hold = await office.hold(receivable_id=receivable["id"], reason=reason)
    await office.release(hold, "over")
    events = await office.service.published(HoldPlacedV1, HoldReleasedV1)
    assert [event.kind for event in events] == [category, category]
    assert hold["reason"] == reason


@pytest.mark.parametrize("reason", ["vulnerability", "breathing_space"])
async def test_words_about_health_are_read_by_those_who_need_them_and_each_reading_is_in_the_history(
    office, reason: str
) -> None:
    customer = await office.customer()
    hold = await office.hold(customer_id=customer["id"], reason=reason, note="In hospital since May")
    await office.release(hold, "Back at home")
    shown = await office.get(f"holds/{hold['id']}")
    assert (hold["note"], shown["note"], shown["release_note"]) == (None, None, None)
    assert "hospital" not in str(await office.csv("holds/export.csv"))
    for role in ("receivables_coordinator", "auditor", "erp"):
        async with office.service.as_(role) as other:
            assert (await other.get(f"/v1/holds/{hold['id']}/health-notes")).status_code == 403
    async with office.service.as_("debt_recovery_officer", "d.flynn") as officer:
        words = (await officer.get(f"/v1/holds/{hold['id']}/health-notes")).json()
    assert words == {"note": "In hospital since May", "release_note": "Back at home"}
    history = await office.all_items(f"holds/{hold['id']}/history")
    assert [(line["action"], line["by_name"]) for line in history][2] == ("health notes read", "d.flynn")
    assert "hospital" not in str(history)
    assert "Back at home" not in str(history)


async def test_words_that_are_not_about_health_are_in_the_hold(office) -> None:
    hold = await office.hold(customer_id=(await office.customer())["id"], reason="dispute", note="Bins not collected")
    assert hold["note"] == "Bins not collected"
