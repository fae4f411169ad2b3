"""What no person can do to a case or an account: rewrite it in the database, or write an account into a text."""

from typing import Any

import pytest
from council_common.testing.harness import Harness
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from supplier_stories import SECRETS, Case, a_change, registered


async def test_no_note_finds_an_account_out(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.request()
    path = f"{case.path}/evidence"
    guesses = ["sort 40-62-19", "sort 40-62-20", "a/c 58203917", "a/c 11112222"]
    answers = [
        await case.requester.post(path, json={"kind": "other", "reference": "x", "note": guess}) for guess in guesses
    ]
    assert [answer.json()["code"] for answer in answers] == ["bank-account-in-text"] * 4
    assert len({str(answer.json()["errors"]) for answer in answers}) == 1


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
        "UPDATE bank_account_change SET requested_by = 'another'",
        "UPDATE bank_account_change SET cooling_off_until = '2026-03-01'",
        "UPDATE bank_account_change SET approved_by = 'another'",
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
    assert (await case.supplier_now())["payments_held"] is False
    await case.request()
    await case.approver.post(f"{case.path}/rejections", json={"note": "No"})
    hold = {"reason": "suspected_fraud", "note": PASTED}
    held = await case.requester.post(f"/v1/suppliers/{case.supplier['id']}/holds", json=hold)
    assert (held.status_code, held.json()["code"]) == (422, "bank-account-in-text")
