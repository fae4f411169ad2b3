from typing import Any

import pytest
from council_common.contracts.suppliers import EarlyPaymentAgreedV1, EarlyPaymentDeclinedV1
from council_common.testing.harness import Harness
from supplier_stories import registered, terms


async def _opened(service: Harness, **fields: Any) -> Any:
    supplier = await registered(service)
    async with service.as_("early_payment_coordinator") as coordinator:
        return await coordinator.post("/v1/onboardings", json={"supplier_id": supplier["id"], **fields})


async def test_a_supplier_is_won_step_by_step(service: Harness) -> None:
    opened = await _opened(service, owner="j.okafor")
    path = opened.headers["location"]
    async with service.as_("early_payment_coordinator") as coordinator:
        call = {"kind": "call", "on": "2026-03-02", "text": "Spoke to the finance manager"}
        activity = await coordinator.post(f"{path}/activities", json=call)
        contacted = await coordinator.post(f"{path}/stages", json={"stage": "contacted", "on": "2026-03-02"})
        without = await coordinator.post(f"{path}/stages", json={"stage": "agreed"})
        agreed = await coordinator.post(f"{path}/stages", json={"stage": "agreed", "terms": terms()})
        activities = (await coordinator.get(f"{path}/activities")).json()["items"]
        history = (await coordinator.get(f"{path}/history")).json()["items"]
    assert (opened.status_code, opened.json()["stage"], opened.json()["owner"]) == (201, "prospect", "j.okafor")
    assert (activity.status_code, contacted.json()["stage_on"]) == (201, "2026-03-02")
    assert (without.status_code, without.json()["code"]) == (422, "terms-required")
    assert agreed.json()["terms"]["reference_rate_percent"] == "1.00"
    assert [activity["text"] for activity in activities] == [call["text"]]
    assert [change["action"] for change in history] == ["opened", "activity added", "stage reached", "stage reached"]
    [event] = await service.published(EarlyPaymentAgreedV1)
    assert event.model_dump(mode="json") == {
        **terms(),
        "term_days": 30,
        "reference_rate_percent": "1.00",
        "target_day": 10,
        "supplier_id": opened.json()["supplier_id"],
        "version": 2,
        "occurred_at": "2026-03-11T09:30:00Z",
        "by": event.by,
    }


async def test_a_supplier_in_the_programme_is_recorded_at_once(service: Harness) -> None:
    opened = await _opened(service, stage="agreed", terms=terms(reference_rate_percent="0.75", target_day=7))
    assert (opened.status_code, opened.json()["stage"]) == (201, "agreed")
    [event] = await service.published(EarlyPaymentAgreedV1)
    assert (str(event.reference_rate_percent), event.target_day) == ("0.75", 7)


async def test_new_terms_replace_the_old_and_a_supplier_that_agreed_may_leave(service: Harness) -> None:
    path = (await _opened(service, stage="agreed", terms=terms())).headers["location"]
    async with service.as_("early_payment_coordinator") as coordinator:
        again = await coordinator.post(f"{path}/stages", json={"stage": "agreed", "terms": terms(target_day=5)})
        leaving = {"stage": "declined", "reason": "terms", "note": "Too low"}
        left = await coordinator.post(f"{path}/stages", json=leaving)
    assert (again.json()["terms"]["target_day"], left.json()["stage"]) == (5, "declined")
    assert [event.version for event in await service.published(EarlyPaymentAgreedV1)] == [2, 3]
    [declined] = await service.published(EarlyPaymentDeclinedV1)
    assert (declined.version, declined.reason, str(declined.declined_on)) == (4, "terms", "2026-03-11")


@pytest.mark.parametrize(
    ("onboarding", "code"),
    [
        ({"stage": "agreed"}, "terms-required"),
        ({"stage": "interested", "terms": terms()}, "terms-not-expected"),
        ({"stage": "agreed", "terms": terms(target_day=30)}, "unsound-terms"),
        ({"stage": "agreed", "terms": terms(agreed_on="2026-03-12")}, "date-in-future"),
        ({"stage": "contacted", "on": "2026-03-12"}, "date-in-future"),
        ({"stage": "contacted", "reason": "terms"}, "not-of-this-stage"),
        ({"stage": "agreed", "terms": terms(), "reason": "terms"}, "not-of-this-stage"),
        ({"reason": "terms"}, "not-of-this-stage"),
        ({"on": "2026-03-10"}, "not-of-this-stage"),
        ({"terms": terms()}, "terms-not-expected"),
        ({"stage": "agreed", "terms": terms(effective_from="9999-12-31")}, "malformed"),
        ({"stage": "agreed", "terms": terms(effective_from="0001-01-01")}, "malformed"),
        ({"stage": "agreed", "terms": terms(agreed_on="1026-03-10")}, "malformed"),
        ({"stage": "agreed", "terms": terms(reference_rate_percent=1.0)}, "malformed"),
        ({"stage": "agreed", "terms": terms(term_days="30")}, "malformed"),
        ({"stage": "agreed", "terms": terms(clock_end="sometime")}, "malformed"),
        ({"stage": "agreed", "terms": {"agreed_on": "2026-03-10", "effective_from": "2026-04-01"}}, "malformed"),
    ],
)
async def test_invalid_terms(service: Harness, onboarding: dict[str, Any], code: str) -> None:
    answer = await _opened(service, **onboarding)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await service.published(EarlyPaymentAgreedV1) == []


@pytest.mark.parametrize("on", ["2025-03-11", "2026-02-09"])
async def test_no_supplier_leaves_before_joining(service: Harness, on: str) -> None:
    """A year that slipped would take back every rebate earned since."""
    agreed = {"stage": "agreed", "on": "2026-02-10", "terms": terms(agreed_on="2026-02-01")}
    path = (await _opened(service, **agreed)).headers["location"]
    async with service.as_("early_payment_coordinator") as coordinator:
        early = await coordinator.post(f"{path}/stages", json={"stage": "declined", "on": on})
        same_day = await coordinator.post(f"{path}/stages", json={"stage": "declined", "on": "2026-02-10"})
    assert (early.status_code, early.json()["code"]) == (422, "date-too-early")
    assert [(error["field"], error["expected"]) for error in early.json()["errors"]] == [("on", "2026-02-10 or later")]
    assert same_day.status_code == 201
    assert [str(event.declined_on) for event in await service.published(EarlyPaymentDeclinedV1)] == ["2026-02-10"]


async def test_no_supplier_leaves_before_the_day_of_the_terms(service: Harness) -> None:
    agreed = {"stage": "agreed", "on": "2026-02-10", "terms": terms(agreed_on="2026-02-20")}
    path = (await _opened(service, **agreed)).headers["location"]
    async with service.as_("early_payment_coordinator") as coordinator:
        early = await coordinator.post(f"{path}/stages", json={"stage": "declined", "on": "2026-02-15"})
    assert [error["expected"] for error in early.json()["errors"]] == ["2026-02-20 or later"]


async def test_a_supplier_that_agreed_long_ago_leaves_on_the_day_it_left(service: Harness) -> None:
    """Both written down on 11 March: agreed on 1 February, left on 1 March."""
    opened = await _opened(service, stage="agreed", terms=terms(agreed_on="2026-02-01", effective_from="2026-02-01"))
    path = opened.headers["location"]
    async with service.as_("early_payment_coordinator") as coordinator:
        left = await coordinator.post(f"{path}/stages", json={"stage": "declined", "on": "2026-03-01"})
    assert (opened.json()["stage_on"], left.status_code) == ("2026-02-01", 201)
    assert [str(event.declined_on) for event in await service.published(EarlyPaymentDeclinedV1)] == ["2026-03-01"]


async def test_an_agreement_begins_no_sooner_than_the_stage_before(service: Harness) -> None:
    path = (await _opened(service)).headers["location"]
    async with service.as_("early_payment_coordinator") as coordinator:
        await coordinator.post(f"{path}/stages", json={"stage": "contacted", "on": "2026-03-02"})
        earlier = {"stage": "agreed", "terms": terms(agreed_on="2026-02-01")}
        agreed = await coordinator.post(f"{path}/stages", json=earlier)
    assert (agreed.status_code, agreed.json()["stage_on"]) == (201, "2026-03-02")


async def test_notes_and_reasons_are_in_the_history(service: Harness) -> None:
    opened = await _opened(service, note="Asked for it at the suppliers' day")
    path = opened.headers["location"]
    async with service.as_("early_payment_coordinator") as coordinator:
        await coordinator.post(f"{path}/stages", json={"stage": "declined", "reason": "terms", "note": "Too low"})
        history = (await coordinator.get(f"{path}/history")).json()["items"]
    assert history[0]["detail"] == {"note": "Asked for it at the suppliers' day"}
    assert (history[1]["reason"], history[1]["detail"]) == (
        "terms",
        {"stage": "declined", "on": "2026-03-11", "note": "Too low"},
    )


async def test_one_onboarding_a_supplier_and_legal_stages_only(service: Harness) -> None:
    first = (await _opened(service, stage="interested")).json()
    async with service.as_("early_payment_coordinator") as coordinator:
        second = await coordinator.post("/v1/onboardings", json={"supplier_id": first["supplier_id"]})
        back = await coordinator.post(f"/v1/onboardings/{first['id']}/stages", json={"stage": "contacted"})
    assert (second.status_code, second.json()["onboarding_id"]) == (409, first["id"])
    assert (back.status_code, back.json()["code"]) == (409, "illegal-move")


async def test_lists(service: Harness) -> None:
    opened = (await _opened(service, owner="j.okafor", stage="interested")).json()
    async with service.as_("auditor") as auditor:

        async def count(**params: str) -> int:
            answer = await auditor.get("/v1/onboardings", params=params)
            assert answer.status_code == 200
            return len(answer.json()["items"])

        assert await count() == 1
        assert await count(stage="interested", owner="j.okafor", supplier_id=opened["supplier_id"]) == 1
        assert await count(stage="agreed") == await count(owner="unknown") == 0
        assert (await auditor.get(f"/v1/onboardings/{opened['id']}")).json() == opened
