import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from council_common.contracts.suppliers import (
    BankAccountActivatedV1,
    BankAccountChangeRejectedV1,
    BankAccountChangeRequestedV1,
)
from council_common.testing.harness import Harness
from sqlalchemy import text
from supplier_service.bank_account_changes import jobs
from supplier_service.bank_account_changes.jobs import JOBS
from supplier_stories import SECRETS, Case, a_change, registered

ACTIVATE, _ = JOBS


async def test_a_change_takes_three_people_and_three_working_days(service: Harness) -> None:
    case = Case(service, await registered(service))
    opened = await case.request()
    assert (opened["status"], opened["sort_code"], opened["account_number"]) == ("requested", "••-••-19", "••••3917")
    assert (await case.supplier_now())["payment_hold_reasons"] == ["bank_account_change"]
    await case.evidence()
    await case.caller.post(f"{case.path}/call-backs", json=case.call())
    approved = (await case.approver.post(f"{case.path}/approvals", json={"note": "In order"})).json()
    # Approved on Wednesday 11 March 2026: Thursday, Friday and Monday are the cooling-off.
    assert (approved["status"], approved["cooling_off_until"]) == ("approved", "2026-03-16")

    service.now = datetime(2026, 3, 16, 23, 59, tzinfo=UTC)
    await service.run_job(ACTIVATE)
    held = await case.supplier_now()
    assert (held["payments_held"], held["bank_account"]["account_number"]) == (True, "••••4268")

    service.now = datetime(2026, 3, 17, 0, 1, tzinfo=UTC)
    await service.run_job(ACTIVATE)
    paid = await case.supplier_now()
    assert (paid["payments_held"], paid["bank_account"]["account_number"]) == (False, "••••3917")
    accounts = (await case.approver.get(f"/v1/suppliers/{case.supplier['id']}/bank-accounts")).json()["items"]
    assert [account["account_number"] for account in accounts] == ["••••3917", "••••4268"]
    assert accounts[1]["superseded_at"] == accounts[0]["in_use_from"]

    [requested] = await service.published(BankAccountChangeRequestedV1)
    [activated] = await service.published(BankAccountActivatedV1)
    assert (str(requested.change_id), str(requested.requested_on), requested.version) == (opened["id"], "2026-03-11", 2)
    assert (str(activated.change_id), activated.approved_by, activated.version) == (
        opened["id"],
        approved["approved_by"],
        3,
    )
    history = (await case.approver.get(f"{case.path}/history")).json()["items"]
    assert [change["action"] for change in history] == [
        "requested",
        "evidence added",
        "called back",
        "approved",
        "activated",
    ]
    assert [change["version"] for change in history] == [1, 2, 3, 4, 5]


async def test_the_requester_does_not_call_back(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.request()
    await case.evidence()
    answer = await case.requester.post(f"{case.path}/call-backs", json=case.call())
    assert (answer.status_code, answer.json()["code"]) == (403, "own-request")


@pytest.mark.parametrize("name", ["r.khan", "c.boyle"])
async def test_requester_and_caller_do_not_approve(service: Harness, name: str) -> None:
    case = Case(service, await registered(service))
    await case.called_back()
    async with service.as_("ap_manager", name) as same_person:
        answer = await same_person.post(f"{case.path}/approvals", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "own-request")


async def test_a_caller_in_vain_does_not_approve_either(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.request()
    await case.evidence()
    async with service.as_("payments_assistant", "d.osei") as first_caller:
        await first_caller.post(f"{case.path}/call-backs", json=case.call("not_confirmed"))
    await case.caller.post(f"{case.path}/call-backs", json=case.call())
    async with service.as_("ap_manager", "d.osei") as manager:
        assert (await manager.post(f"{case.path}/approvals", json={})).status_code == 403


async def test_no_approval_without_a_confirmed_call(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.request()
    early = await case.caller.post(f"{case.path}/call-backs", json=case.call())
    await case.evidence()
    unconfirmed = await case.caller.post(f"{case.path}/call-backs", json=case.call("not_confirmed"))
    refused = await case.approver.post(f"{case.path}/approvals", json={})
    confirmed = await case.caller.post(f"{case.path}/call-backs", json=case.call())
    doubted = await case.caller.post(f"{case.path}/call-backs", json=case.call("not_confirmed"))
    assert (early.status_code, early.json()["code"]) == (409, "illegal-move")
    assert (unconfirmed.json()["status"], confirmed.json()["status"]) == ("evidence", "called_back")
    assert (refused.status_code, refused.json()["current"], refused.json()["wanted"]) == (409, "evidence", "approved")
    assert doubted.json()["status"] == "evidence"


async def test_another_holder_than_the_supplier_is_shown(service: Harness) -> None:
    case = Case(service, await registered(service))
    path = "/v1/bank-account-changes"
    other = await case.requester.post(path, json=a_change(case.supplier["id"]))
    await case.approver.post(f"{path}/{other.json()['id']}/rejections", json={"note": "No"})
    same = await case.requester.post(path, json=a_change(case.supplier["id"], account_name="ARDLEY PAVING LTD."))
    assert [answer.json()["account_name_matches"] for answer in (other, same)] == [False, True]


async def test_a_name_that_was_changed_for_the_purpose_matches_nothing(service: Harness) -> None:
    """A requester may write the account's holder into the supplier's name, before the case or during it."""
    case = Case(service, await registered(service))
    path, change = f"/v1/suppliers/{case.supplier['id']}", a_change(case.supplier["id"])

    async def rename(name: str) -> None:
        answer = await case.requester.patch(path, json={"name": name}, headers={"If-Match": "*"})
        assert answer.status_code == 200

    async def requested() -> dict[str, Any]:
        answer = await case.requester.post("/v1/bank-account-changes", json=change)
        case.path = f"/v1/bank-account-changes/{answer.json()['id']}"
        return dict(answer.json())

    during = await requested()
    await rename(change["account_name"])
    shown = (await case.approver.get(case.path)).json()
    await case.approver.post(f"{case.path}/rejections", json={"note": "No"})
    service.now += timedelta(days=89)
    before = await requested()
    await case.approver.post(f"{case.path}/rejections", json={"note": "No"})
    service.now += timedelta(days=1)
    long_before = await requested()
    cases = (during, shown, before, long_before)
    assert [(one["account_name_matches"], one["name_changed_on"]) for one in cases] == [
        (False, None),
        (False, None),
        (False, "2026-03-11"),
        (True, None),
    ]


async def test_one_open_change_a_supplier(service: Harness) -> None:
    case = Case(service, await registered(service))
    first = await case.request()
    second = await case.requester.post("/v1/bank-account-changes", json=a_change(case.supplier["id"]))
    assert (second.status_code, second.json()["code"]) == (409, "bank-account-change-open")
    assert second.json()["bank_account_change_id"] == first["id"]


async def test_ten_racing_requests_open_one_case(racing_service: Harness) -> None:
    supplier = await registered(racing_service)
    async with racing_service.as_("payments_assistant") as assistant:
        requests = (assistant.post("/v1/bank-account-changes", json=a_change(supplier["id"])) for _ in range(10))
        answers = await asyncio.gather(*requests)
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 9]
    assert len(await racing_service.published(BankAccountChangeRequestedV1)) == 1


async def test_a_rejected_change_leaves_the_old_account(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.approved()
    rejected = await case.approver.post(f"{case.path}/rejections", json={"note": "The supplier knows nothing of it"})
    again = await case.approver.post(f"{case.path}/rejections", json={"note": "Again"})
    service.now += timedelta(days=30)
    await service.run_job(ACTIVATE)
    supplier = await case.supplier_now()
    assert (rejected.status_code, rejected.json()["status"], again.status_code) == (201, "rejected", 409)
    assert (supplier["payments_held"], supplier["bank_account"]["account_number"]) == (False, "••••4268")
    assert len(await service.published(BankAccountChangeRejectedV1)) == 1
    assert await service.published(BankAccountActivatedV1) == []
    await case.request()


async def test_a_list_of_open_changes(service: Harness) -> None:
    first = Case(service, await registered(service))
    second = Case(service, await registered(service, reference="2"))
    await first.approved()
    opened = await second.request()
    await second.approver.post(f"{second.path}/rejections", json={"note": "No"})
    async with service.as_("auditor") as auditor:

        async def found(**params: Any) -> list[str]:
            answer = await auditor.get("/v1/bank-account-changes", params=params)
            assert answer.status_code == 200, answer.text
            return [item["status"] for item in answer.json()["items"]]

        assert await found() == ["rejected", "approved"]
        assert await found(open=True) == await found(status="approved") == ["approved"]
        assert await found(supplier_id=opened["supplier_id"]) == ["rejected"]


async def test_scopes(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.called_back()
    async with service.as_("erp") as erp:
        assert (await erp.post("/v1/bank-account-changes", json=a_change(case.supplier["id"]))).status_code == 403
    assert (await case.caller.post(f"{case.path}/approvals", json={})).status_code == 403
    assert (await case.approver.get(f"/v1/bank-account-changes/{uuid4()}")).status_code == 404


@pytest.mark.parametrize("name", ["Ardley Paving Client Account", "Ardley Paving Ltd"])
async def test_the_account_in_use_is_no_change(service: Harness, name: str) -> None:
    case = Case(service, await registered(service))
    in_use = {"sort_code": "205541", "account_number": "91734268", "account_name": name}
    change = a_change(case.supplier["id"], **in_use)
    answer = await case.requester.post("/v1/bank-account-changes", json=change)
    assert (answer.status_code, answer.json()["code"]) == (409, "bank-account-unchanged")
    assert not any(secret in answer.text for secret in SECRETS)


async def test_a_case_that_fails_stops_no_other(service: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)
    cases = [Case(service, await registered(service, reference=str(number))) for number in range(5)]
    for case in cases:
        await case.approved()
    # As if the first three had been used already: their account cannot be added a second time.
    async with service.runtime.sessions.begin() as session:
        for case in cases[:3]:
            await session.execute(
                text(
                    "INSERT INTO bank_account VALUES (:supplier_id, 9, :change_id, '000000', '00000000', NULL, now())"
                ),
                {"supplier_id": case.supplier["id"], "change_id": case.path.rpartition("/")[2]},
            )
    service.now += timedelta(days=30)
    with pytest.raises(RuntimeError, match="3 bank accounts"):
        await service.run_job(ACTIVATE)
    async with service.as_("auditor") as auditor:
        statuses = [(await auditor.get(case.path)).json()["status"] for case in cases]
    assert statuses == ["approved", "approved", "approved", "active", "active"]
