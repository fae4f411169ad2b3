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
from sqlalchemy.exc import DBAPIError
from supplier_service.jobs import JOBS
from supplier_stories import SECRETS, Case, a_change, registered

[ACTIVATE] = JOBS


async def _supplier(case: Case) -> dict[str, Any]:
    answer: dict[str, Any] = (await case.approver.get(f"/v1/suppliers/{case.supplier['id']}")).json()
    return answer


async def test_a_change_takes_three_people_and_three_working_days(service: Harness) -> None:
    case = Case(service, await registered(service))
    asked = await case.request()
    assert (asked["status"], asked["sort_code"], asked["account_number"]) == ("requested", "••-••-19", "••••3917")
    assert (await _supplier(case))["payment_hold_reasons"] == ["bank_account_change"]
    await case.evidence()
    await case.caller.post(f"{case.path}/call-backs", json=case.call())
    approved = (await case.approver.post(f"{case.path}/approvals", json={"note": "In order"})).json()
    # Approved on Wednesday 11 March 2026: Thursday, Friday and Monday are the cooling-off.
    assert (approved["status"], approved["cooling_off_until"]) == ("approved", "2026-03-16")

    service.now = datetime(2026, 3, 16, 23, 59, tzinfo=UTC)
    await service.run_job(ACTIVATE)
    held = await _supplier(case)
    assert (held["payments_held"], held["bank_account"]["account_number"]) == (True, "••••4268")

    service.now = datetime(2026, 3, 17, 0, 1, tzinfo=UTC)
    await service.run_job(ACTIVATE)
    paid = await _supplier(case)
    assert (paid["payments_held"], paid["bank_account"]["account_number"]) == (False, "••••3917")
    accounts = (await case.approver.get(f"/v1/suppliers/{case.supplier['id']}/bank-accounts")).json()
    assert [account["account_number"] for account in accounts] == ["••••3917", "••••4268"]
    assert accounts[1]["superseded_at"] == accounts[0]["in_use_from"]

    [requested] = await service.published(BankAccountChangeRequestedV1)
    [activated] = await service.published(BankAccountActivatedV1)
    assert (str(requested.change_id), str(requested.requested_on), requested.version) == (asked["id"], "2026-03-11", 2)
    assert (str(activated.change_id), activated.approved_by, activated.version) == (
        asked["id"],
        approved["approved_by"],
        3,
    )
    history = (await case.approver.get(f"{case.path}/history")).json()
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
async def test_who_asked_or_called_does_not_approve(service: Harness, name: str) -> None:
    case = Case(service, await registered(service))
    await case.called_back()
    async with service.as_("ap_manager", name) as same_person:
        answer = await same_person.post(f"{case.path}/approvals", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "own-request")


async def test_who_called_in_vain_does_not_approve_either(service: Harness) -> None:
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


async def test_a_number_changed_lately_is_not_trusted(service: Harness) -> None:
    supplier = await registered(service)
    [contact] = supplier["contacts"]
    async with service.as_("erp") as erp:
        changed = await erp.patch(
            f"/v1/suppliers/{supplier['id']}",
            json={"contacts": [{"id": contact["id"], "name": "A", "phone": "07700 900123", "purpose": "accounts"}]},
            headers={"If-Match": "*"},
        )
    case = Case(service, changed.json())
    service.now += timedelta(days=89)
    await case.request()
    await case.evidence()
    too_new = await case.caller.post(f"{case.path}/call-backs", json=case.call())
    unknown = await case.caller.post(f"{case.path}/call-backs", json=case.call(contact_id=str(uuid4())))
    service.now += timedelta(days=1)
    old_enough = await case.caller.post(f"{case.path}/call-backs", json=case.call())
    assert (too_new.status_code, too_new.json()["code"]) == (403, "call-back-number-not-trusted")
    assert unknown.status_code == 403
    assert old_enough.status_code == 201


async def test_one_open_change_a_supplier(service: Harness) -> None:
    case = Case(service, await registered(service))
    first = await case.request()
    second = await case.requester.post("/v1/bank-account-changes", json=a_change(case.supplier["id"]))
    assert (second.status_code, second.json()["code"]) == (409, "bank-account-change-open")
    assert second.json()["bank_account_change_id"] == first["id"]


async def test_ten_racing_wishes_open_one_case(racing_service: Harness) -> None:
    supplier = await registered(racing_service)
    async with racing_service.as_("payments_assistant") as assistant:
        wishes = (assistant.post("/v1/bank-account-changes", json=a_change(supplier["id"])) for _ in range(10))
        answers = await asyncio.gather(*wishes)
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 9]
    assert len(await racing_service.published(BankAccountChangeRequestedV1)) == 1


async def test_a_rejected_change_leaves_the_old_account(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.approved()
    rejected = await case.approver.post(f"{case.path}/rejections", json={"note": "The supplier knows nothing of it"})
    again = await case.approver.post(f"{case.path}/rejections", json={"note": "Again"})
    service.now += timedelta(days=30)
    await service.run_job(ACTIVATE)
    supplier = await _supplier(case)
    assert (rejected.status_code, rejected.json()["status"], again.status_code) == (201, "rejected", 409)
    assert (supplier["payments_held"], supplier["bank_account"]["account_number"]) == (False, "••••4268")
    assert len(await service.published(BankAccountChangeRejectedV1)) == 1
    assert await service.published(BankAccountActivatedV1) == []
    await case.request()


async def test_a_list_of_open_changes(service: Harness) -> None:
    first = Case(service, await registered(service))
    second = Case(service, await registered(service, reference="2"))
    await first.approved()
    asked = await second.request()
    await second.approver.post(f"{second.path}/rejections", json={"note": "No"})
    async with service.as_("auditor") as auditor:

        async def found(**params: Any) -> list[str]:
            answer = await auditor.get("/v1/bank-account-changes", params=params)
            assert answer.status_code == 200, answer.text
            return [item["status"] for item in answer.json()["items"]]

        assert await found() == ["rejected", "approved"]
        assert await found(open=True) == await found(status="approved") == ["approved"]
        assert await found(supplier_id=asked["supplier_id"]) == ["rejected"]


async def test_scopes(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.called_back()
    async with service.as_("erp") as erp:
        assert (await erp.post("/v1/bank-account-changes", json=a_change(case.supplier["id"]))).status_code == 403
    assert (await case.caller.post(f"{case.path}/approvals", json={})).status_code == 403
    assert (await case.approver.get(f"/v1/bank-account-changes/{uuid4()}")).status_code == 404


async def test_the_account_in_use_is_no_change(service: Harness) -> None:
    case = Case(service, await registered(service))
    wanted = a_change(case.supplier["id"], **{
        "sort_code": "205541", "account_number": "91734268", "account_name": "Ardley Paving Client Account",
    })  # fmt: skip
    answer = await case.requester.post("/v1/bank-account-changes", json=wanted)
    assert (answer.status_code, answer.json()["code"]) == (409, "bank-account-unchanged")
    assert not any(secret in answer.text for secret in SECRETS)


@pytest.mark.parametrize("edit", ["UPDATE bank_account SET sort_code = '000000'", "DELETE FROM bank_account"])
async def test_the_database_refuses_to_edit_an_account(service: Harness, edit: str) -> None:
    await registered(service)
    with pytest.raises(DBAPIError, match="superseded, never edited"):
        async with service.runtime.sessions.begin() as session:
            await session.execute(text(edit))


async def test_the_database_wants_three_people(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.called_back()
    with pytest.raises(DBAPIError, match="approver_is_a_third"):
        async with service.runtime.sessions.begin() as session:
            await session.execute(text("UPDATE bank_account_change SET approved_by = requested_by"))
