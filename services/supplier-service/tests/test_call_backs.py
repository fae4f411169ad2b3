from datetime import timedelta
from uuid import uuid4

from council_common.testing.harness import Harness
from supplier_stories import SECRETS, Case, registered


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
    called = [change for change in history.json()["items"] if change["action"] == "called back"]
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
    sent = await case.caller.post(path, json=case.call("another_account"))
    approved = await case.approver.post(f"{case.path}/approvals", json={})
    # A right account is answered as a wrong one is: the answer says nothing any more.
    assert right.json()["code"] == fourth.json()["code"] == "too-many-wrong-read-outs"
    assert (right.status_code, fourth.status_code, denied.status_code) == (409, 409, 201)
    assert (sent.status_code, approved.status_code) == (422, 409)
    await case.approver.post(f"{case.path}/rejections", json={"note": "Another account each time"})
    assert (await case.request())["call_backs"] == []
