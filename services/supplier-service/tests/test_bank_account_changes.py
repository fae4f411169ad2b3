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
from supplier_service import jobs
from supplier_service.jobs import JOBS
from supplier_stories import SECRETS, Case, a_change, registered

ACTIVATE, _ = JOBS


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
    assert (too_new.status_code, too_new.json()["code"]) == (409, "call-back-number-not-trusted")
    [why] = too_new.json()["errors"]
    # Held since 11 March 2026: 90 days later is 9 June.
    assert (why["field"], why["expected"]) == ("contact_id", "another, or this one from 2026-06-09")
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (409, "contact_id")
    assert old_enough.status_code == 201


async def test_a_denial_counts_on_any_number(service: Harness) -> None:
    supplier = await registered(service)
    [contact] = supplier["contacts"]
    new_number = {"contacts": [{"id": contact["id"], "name": "A", "phone": "07700 900123", "purpose": "accounts"}]}
    kept = {name: contact[name] for name in ("id", "name", "email", "phone", "purpose")}
    async with service.as_("erp") as erp:
        path = f"/v1/suppliers/{supplier['id']}"
        both = {"contacts": [kept, {**new_number["contacts"][0], "id": None}]}
        changed = (await erp.patch(path, json=both, headers={"If-Match": "*"})).json()
    case = Case(service, changed)
    await case.called_back()
    newer = {"contact_id": changed["contacts"][1]["id"]}
    confirmed = await case.caller.post(f"{case.path}/call-backs", json=case.call(**newer))
    denied = await case.caller.post(
        f"{case.path}/call-backs", json=case.call("not_confirmed", note="They asked for nothing", **newer)
    )
    approved = await case.approver.post(f"{case.path}/approvals", json={})
    assert (confirmed.status_code, confirmed.json()["code"]) == (409, "call-back-number-not-trusted")
    assert (denied.status_code, denied.json()["status"]) == (201, "evidence")
    assert [call["outcome"] for call in denied.json()["call_backs"]] == ["confirmed", "not_confirmed"]
    assert (approved.status_code, approved.json()["code"]) == (409, "illegal-move")


async def test_another_holder_than_the_supplier_is_told(service: Harness) -> None:
    case = Case(service, await registered(service))
    path = "/v1/bank-account-changes"
    other = await case.requester.post(path, json=a_change(case.supplier["id"]))
    await case.approver.post(f"{path}/{other.json()['id']}/rejections", json={"note": "No"})
    same = await case.requester.post(path, json=a_change(case.supplier["id"], account_name="ARDLEY PAVING LTD."))
    assert [answer.json()["account_name_matches"] for answer in (other, same)] == [False, True]


async def test_a_name_that_was_changed_for_the_purpose_matches_nothing(service: Harness) -> None:
    """Who asks for the change may write the account's holder into the supplier's name, before the case or during it."""
    case = Case(service, await registered(service))
    path, wanted = f"/v1/suppliers/{case.supplier['id']}", a_change(case.supplier["id"])

    async def rename(name: str) -> None:
        answer = await case.requester.patch(path, json={"name": name}, headers={"If-Match": "*"})
        assert answer.status_code == 200

    async def asked() -> dict[str, Any]:
        answer = await case.requester.post("/v1/bank-account-changes", json=wanted)
        case.path = f"/v1/bank-account-changes/{answer.json()['id']}"
        return dict(answer.json())

    during = await asked()
    await rename(wanted["account_name"])
    shown = (await case.approver.get(case.path)).json()
    await case.approver.post(f"{case.path}/rejections", json={"note": "No"})
    service.now += timedelta(days=89)
    before = await asked()
    await case.approver.post(f"{case.path}/rejections", json={"note": "No"})
    service.now += timedelta(days=1)
    long_before = await asked()
    told = [(each["account_name_matches"], each["name_changed_on"]) for each in (during, shown, before, long_before)]
    assert told == [(False, None), (False, None), (False, "2026-03-11"), (True, None)]


async def test_the_supplier_reads_the_account_out(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.request()
    await case.evidence()
    path = f"{case.path}/call-backs"
    silent = await case.caller.post(path, json=case.call(sort_code=None, account_number=None))
    # The same digits as far as an answer shows them.
    other = await case.caller.post(path, json=case.call(account_number="11113917"))
    refused = await case.approver.post(f"{case.path}/approvals", json={})
    right = await case.caller.post(path, json=case.call())
    history = await case.approver.get(f"{case.path}/history")
    assert (silent.status_code, silent.json()["code"]) == (422, "account-not-read-out")
    assert [error["field"] for error in silent.json()["errors"]] == ["sort_code", "account_number"]
    # A supplier that reads out another account is the strongest sign of a fraud: it stands in the case for good.
    assert (other.status_code, other.json()["status"]) == (201, "evidence")
    assert [call["outcome"] for call in right.json()["call_backs"]] == ["another_account", "confirmed"]
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal-move")
    assert (right.status_code, right.json()["status"]) == (201, "called_back")
    called = [change for change in history.json() if change["action"] == "called back"]
    assert [change["detail"]["outcome"] for change in called] == ["another_account", "confirmed"]
    assert "11113917" not in other.text + history.text
    assert not any(secret in answer.text for secret in SECRETS for answer in (silent, other, right, history))


async def test_after_three_wrong_accounts_the_change_can_only_be_rejected(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.called_back()
    path = f"{case.path}/call-backs"
    for guess in ("11113917", "22223917", "33333917"):
        wrong = await case.caller.post(path, json=case.call(account_number=guess))
        assert (wrong.status_code, wrong.json()["status"]) == (201, "evidence")
    right = await case.caller.post(path, json=case.call())
    fourth = await case.caller.post(path, json=case.call(account_number="44443917"))
    denied = await case.caller.post(path, json=case.call("not_confirmed"))
    told = await case.caller.post(path, json=case.call("another_account"))
    approved = await case.approver.post(f"{case.path}/approvals", json={})
    # A right account is answered as a wrong one is: the answer tells nothing any more.
    assert right.json()["code"] == fourth.json()["code"] == "too-many-wrong-read-outs"
    assert (right.status_code, fourth.status_code, denied.status_code) == (409, 409, 201)
    assert (told.status_code, approved.status_code) == (422, 409)
    await case.approver.post(f"{case.path}/rejections", json={"note": "Another account each time"})
    assert (await case.request())["call_backs"] == []


async def test_no_note_finds_an_account_out(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.request()
    path = f"{case.path}/evidence"
    guesses = ["sort 40-62-19", "sort 40-62-20", "a/c 58203917", "a/c 11112222"]
    answers = [
        await case.requester.post(path, json={"kind": "other", "reference": "x", "note": each}) for each in guesses
    ]
    assert [answer.json()["code"] for answer in answers] == ["bank-account-in-text"] * 4
    assert len({str(answer.json()["errors"]) for answer in answers}) == 1


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


@pytest.mark.parametrize("name", ["Ardley Paving Client Account", "Ardley Paving Ltd"])
async def test_the_account_in_use_is_no_change(service: Harness, name: str) -> None:
    case = Case(service, await registered(service))
    in_use = {"sort_code": "205541", "account_number": "91734268", "account_name": name}
    wanted = a_change(case.supplier["id"], **in_use)
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


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE bank_account_change SET account_number = '12345678'",
        "UPDATE bank_account_change SET sort_code = '000000'",
        "UPDATE bank_account_change SET requested_by = 'somebody'",
        "UPDATE bank_account_change SET cooling_off_until = '2026-03-01'",
        "UPDATE bank_account_change SET approved_by = 'somebody'",
        "UPDATE bank_account_change SET account_name_matches = true",
        "UPDATE bank_account_change SET warned_otherwise = 'by letter'",
        "DELETE FROM bank_account_change",
    ],
)
async def test_the_database_refuses_to_edit_what_was_approved(service: Harness, edit: str) -> None:
    await Case(service, await registered(service)).approved()
    with pytest.raises(DBAPIError, match="approved or ended in bank_account_change is never edited"):
        async with service.runtime.sessions.begin() as session:
            await session.execute(text(edit))


async def test_the_database_opens_no_rejected_case_again(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.approved()
    await case.approver.post(f"{case.path}/rejections", json={"note": "No"})
    with pytest.raises(DBAPIError, match="never edited"):
        async with service.runtime.sessions.begin() as session:
            await session.execute(text("UPDATE bank_account_change SET status = 'approved'"))


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


PASTED = "please pay 40-62-19 58203917 from now on"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("evidence", {"kind": "bank_letter", "reference": "a/c 5820 3917"}, "reference"),
        ("evidence", {"kind": "bank_letter", "reference": "EDRMS 1", "note": PASTED}, "note"),
        ("call-backs", {"outcome": "not_confirmed", "note": "Knows nothing of 58203917"}, "note"),
        ("approvals", {"note": "Instead of 91734268"}, "note"),
        ("approvals", {"warned_otherwise": "Letter: not 91734268 any more?"}, "warned_otherwise"),
        ("rejections", {"note": "Old sort code 20-55-41 stands"}, "note"),
    ],
)
async def test_an_account_in_a_note_is_refused(service: Harness, path: str, body: dict[str, Any], field: str) -> None:
    case = Case(service, await registered(service))
    await case.request()
    await case.evidence()
    person = case.caller
    if path in {"approvals", "rejections"}:
        await case.caller.post(f"{case.path}/call-backs", json=case.call())
        person = case.approver
    contact = {"contact_id": case.contact_id} if path == "call-backs" else {}
    before = (await case.approver.get(case.path)).json()
    answer = await person.post(f"{case.path}/{path}", json=contact | body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bank-account-in-text")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not any(secret in answer.text for secret in SECRETS)
    assert (await case.approver.get(case.path)).json() == before


async def test_no_case_is_opened_by_a_pasted_mail(service: Harness) -> None:
    case = Case(service, await registered(service))
    refused = await case.requester.post(
        "/v1/bank-account-changes", json=a_change(case.supplier["id"], note=f"They wrote: {PASTED}")
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "bank-account-in-text")
    assert (await _supplier(case))["payments_held"] is False
    await case.request()
    await case.approver.post(f"{case.path}/rejections", json={"note": "No"})
    hold = {"reason": "suspected_fraud", "note": PASTED}
    held = await case.requester.post(f"/v1/suppliers/{case.supplier['id']}/holds", json=hold)
    assert (held.status_code, held.json()["code"]) == (422, "bank-account-in-text")
