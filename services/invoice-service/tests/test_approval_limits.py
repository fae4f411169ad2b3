import asyncio
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from council_common.contracts.invoices import ApprovalLimitEndedV1, ApprovalLimitSetV1
from council_common.testing.harness import Harness
from invoice_service.register.approval_limits.rules import (
    ApprovalLimitMalformed,
    OwnRole,
    check_last_day,
    check_role,
)
from invoice_stories import history_of, shown

APRIL, MARCH = date(2026, 4, 1), date(2027, 3, 31)
LIMITS = "/v1/approval-limits"


def a_limit(**other: Any) -> dict[str, Any]:
    return {"role": "payments_assistant", "up_to_pence": 500_000, "effective_from": str(APRIL)} | other


@pytest.mark.parametrize(
    ("effective_to", "planned", "allowed"),
    [
        (None, None, True),
        (APRIL, None, True),
        (MARCH, None, True),
        (date(2026, 3, 31), None, False),
        (APRIL, MARCH, True),
        (MARCH, MARCH, True),
        (date(2027, 4, 1), MARCH, False),
        (date(2026, 3, 31), MARCH, False),
    ],
)
def test_a_limit_ends_on_its_first_day_or_later_and_only_sooner_than_planned(
    effective_to: date | None, planned: date | None, allowed: bool
) -> None:
    if allowed:
        check_last_day(effective_to, effective_from=APRIL, planned=planned)
    else:
        with pytest.raises(ApprovalLimitMalformed):
            check_last_day(effective_to, effective_from=APRIL, planned=planned)


def test_nobody_decides_about_a_role_she_holds() -> None:
    check_role("payments_assistant", {"ap_manager"})
    with pytest.raises(OwnRole):
        check_role("ap_manager", {"auditor", "ap_manager"})


async def test_a_limit_is_set_and_ended_and_another_follows(service: Harness) -> None:
    async with service.as_("ap_manager", "m.jones") as manager:
        answer = await manager.post(LIMITS, json=a_limit(), headers={"idempotency-key": "k"})
        replayed = await manager.post(LIMITS, json=a_limit(), headers={"idempotency-key": "k"})
        limit = answer.json()
        path = answer.headers["location"]
        assert (answer.status_code, replayed.content, path) == (201, answer.content, f"{LIMITS}/{limit['id']}")
        assert await shown(service, path) == limit
        ending = {"effective_to": "2026-06-30", "note": "The scheme changes."}
        ended = await manager.post(f"{path}/endings", json=ending)
        assert (ended.status_code, ended.json()["effective_to"], ended.headers["etag"]) == (201, "2026-06-30", '"2"')
        twice = await manager.post(f"{path}/endings", json=ending)
        assert (twice.status_code, twice.json()["code"]) == (409, "approval-limit-already-ended")
        following = await manager.post(LIMITS, json=a_limit(effective_from="2026-07-01", up_to_pence=750_000))
        assert following.status_code == 201
    first, second = await service.published(ApprovalLimitSetV1)
    assert (first.key, first.version, first.role, first.department) == (first.approval_limit_id, 1, limit["role"], None)
    assert (first.up_to_pence, first.effective_to, second.up_to_pence) == (500_000, None, 750_000)
    [end] = await service.published(ApprovalLimitEndedV1)
    assert (str(end.approval_limit_id), end.version, str(end.effective_to)) == (limit["id"], 2, "2026-06-30")
    history = await history_of(service, path)
    assert [change["action"] for change in history] == ["set", "ended"]
    assert history[1]["detail"] == {"note": "The scheme changes."}


async def test_what_may_not_be_set(service: Harness) -> None:
    async with service.as_("ap_manager") as manager:
        limit = (await manager.post(LIMITS, json=a_limit(effective_to=str(MARCH)))).json()
        for body, status, code in (
            (a_limit(effective_from="2026-03-01"), 409, "approval-limit-overlaps"),
            (a_limit(effective_from="2027-03-31"), 409, "approval-limit-overlaps"),
            (a_limit(effective_from="2026-01-01", effective_to="2026-04-01"), 409, "approval-limit-overlaps"),
            (a_limit(role="ap_manager"), 403, "own-role"),
            (a_limit(effective_to="2026-03-31"), 422, "approval-limit-malformed"),
            (a_limit(up_to_pence=0), 422, "malformed"),
            (a_limit(role="Finance Director"), 422, "malformed"),
            (a_limit(source={"system": "erp", "reference": "1"}), 422, "malformed"),
        ):
            refused = await manager.post(LIMITS, json=body)
            assert (refused.status_code, refused.json()["code"]) == (status, code), body
            assert code != "approval-limit-overlaps" or refused.json()["id"] == limit["id"]
        for body in (
            a_limit(effective_from="2026-01-01", effective_to="2026-03-31"),
            a_limit(effective_from="2027-04-01"),
            a_limit(department="highways"),
            a_limit(role="erp"),
        ):
            assert (await manager.post(LIMITS, json=body)).status_code == 201, body


async def test_what_may_not_be_ended(service: Harness) -> None:
    async with service.as_("ap_manager") as manager:
        limit = (await manager.post(LIMITS, json=a_limit(effective_to=str(MARCH)))).json()
        for limit_id, body, status, code in (
            (limit["id"], {"effective_to": "2026-03-31", "note": "x"}, 422, "approval-limit-malformed"),
            (limit["id"], {"effective_to": "2027-04-01", "note": "x"}, 422, "approval-limit-malformed"),
            (limit["id"], {"effective_to": "2026-05-01"}, 422, "malformed"),
            (uuid4(), {"effective_to": "2026-05-01", "note": "x"}, 404, "approval-limit-not-found"),
        ):
            refused = await manager.post(f"{LIMITS}/{limit_id}/endings", json=body)
            assert (refused.status_code, refused.json()["code"]) == (status, code), body
    assert await service.published(ApprovalLimitEndedV1) == []


@pytest.mark.parametrize("role", ["payments_assistant", "erp", "auditor"])
async def test_only_a_manager_sets_limits(service: Harness, role: str) -> None:
    async with service.as_(role) as other:
        assert (await other.post(LIMITS, json=a_limit(role="service"))).status_code == 403
        assert (await other.get(LIMITS)).status_code == 200


async def test_limits_are_listed_by_role_department_and_day(service: Harness) -> None:
    async with service.as_("ap_manager") as manager:
        for body in (
            a_limit(effective_to="2026-06-30"),
            a_limit(effective_from="2026-07-01"),
            a_limit(department="highways", effective_from="2026-05-01", up_to_pence=123_456),
            a_limit(role="erp"),
        ):
            assert (await manager.post(LIMITS, json=body)).status_code == 201
    async with service.as_("auditor") as auditor:
        for query, starts in (
            ("", ["2026-07-01", "2026-05-01", "2026-04-01", "2026-04-01"]),
            ("role=payments_assistant", ["2026-07-01", "2026-05-01", "2026-04-01"]),
            ("department=highways", ["2026-05-01"]),
            ("in_force_on=2026-06-30&role=payments_assistant", ["2026-05-01", "2026-04-01"]),
            ("in_force_on=2026-03-31", []),
            ("effective_from_from=2026-04-02&effective_from_to=2026-07-01", ["2026-07-01", "2026-05-01"]),
        ):
            listed = (await auditor.get(f"{LIMITS}?{query}")).json()["items"]
            assert [limit["effective_from"] for limit in listed] == starts, query
        export = (await auditor.get(f"{LIMITS}/export.csv?department=highways")).text
    assert "1234.56" in export and export.count("payments_assistant") == 1


async def test_of_racing_limits_one_is_set(racing_service: Harness) -> None:
    async with racing_service.as_("ap_manager") as manager:
        answers = await asyncio.gather(
            *(manager.post(LIMITS, json=a_limit(effective_from=f"2026-04-{day:02}")) for day in range(1, 9)),
            *(manager.post(LIMITS, json=a_limit(department="highways")) for _ in range(4)),
        )
    assert sorted(answer.status_code for answer in answers) == [201, 201, *[409] * 10]
    assert {answer.json().get("code") for answer in answers} == {None, "approval-limit-overlaps"}
    assert len(await racing_service.published(ApprovalLimitSetV1)) == 2


async def test_the_managers_own_limit_is_set_by_who_approves_nothing(service: Harness) -> None:
    async with service.as_("finance_systems_officer", "s.lee") as officer:
        answer = await officer.post(LIMITS, json=a_limit(role="ap_manager"))
        assert (answer.status_code, answer.json()["decided_by"] != "") == (201, True)
        own = await officer.post(LIMITS, json=a_limit(role="finance_systems_officer"))
        assert (own.status_code, own.json()["code"]) == (403, "own-role")
        assert (await officer.post("/v1/invoices/approvals", json={"items": [{}]})).status_code == 403
