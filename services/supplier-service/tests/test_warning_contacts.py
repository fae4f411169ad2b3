"""Who is warned of a bank-account change: the old contacts, even if new ones were written in before."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from council_common.contracts.suppliers import BankAccountChangeRequestedV1
from council_common.database.tables import change, idempotency_key, outbox
from council_common.testing.harness import Harness
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from supplier_service.bank_account_changes.jobs import JOBS
from supplier_service.bank_account_changes.rules import ContactToWarn, HeldAs, contacts_to_warn
from supplier_stories import Case, a_change, a_supplier, registered

_, FORGET = JOBS
OLD, EVIL = "accounts@ardley-paving.example.com", "ardley@evil.example.com"


def _contact(email: str | None, name: str = "Accounts department", **fields: Any) -> dict[str, Any]:
    return {"name": name, "email": email, "phone": "01603 555 010", "purpose": "accounts", **fields}


async def _patched(service: Harness, supplier: dict[str, Any], **fields: Any) -> Any:
    async with service.as_("payments_assistant", "r.khan") as assistant:
        return await assistant.patch(f"/v1/suppliers/{supplier['id']}", json=fields, headers={"If-Match": "*"})


async def _with_contacts(service: Harness, supplier: dict[str, Any], *contacts: dict[str, Any]) -> dict[str, Any]:
    answer = await _patched(service, supplier, contacts=list(contacts))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def _warned(service: Harness, case: Case) -> list[dict[str, Any]]:
    async with service.as_("service") as notification_service:
        answer = await notification_service.get(f"{case.path}/warning-contacts")
    assert answer.status_code == 200, answer.text
    warned = answer.json()
    assert set(warned) == {"change_id", "supplier_id", "contacts"}
    assert case.path.endswith(warned["change_id"])
    assert warned["supplier_id"] == case.supplier["id"]
    contacts: list[dict[str, Any]] = warned["contacts"]
    return contacts


async def test_the_contacts_held_are_warned(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.request()
    assert await _warned(service, case) == [
        {"name": "Accounts department", "email": OLD, "held": "current", "removed_on": None}
    ]


async def test_an_address_replaced_before_the_request_is_warned_as_well(service: Harness) -> None:
    supplier = await registered(service)
    case = Case(service, await _with_contacts(service, supplier, _contact(EVIL, id=supplier["contacts"][0]["id"])))
    await case.request()
    assert await _warned(service, case) == [
        {"name": "Accounts department", "email": EVIL, "held": "current", "removed_on": None},
        {"name": "Accounts department", "email": OLD, "held": "removed", "removed_on": "2026-03-11"},
    ]


async def test_contacts_removed_altogether_are_warned(service: Harness) -> None:
    case = Case(service, supplier := await registered(service))
    await _with_contacts(service, supplier)
    await case.request()
    assert [contact["email"] for contact in await _warned(service, case)] == [OLD]


@pytest.mark.parametrize(("days", "warned"), [(90, [OLD]), (91, [])])
async def test_ninety_days_after_its_removal_an_address_is_forgotten(
    service: Harness, days: int, warned: list[str]
) -> None:
    case = Case(service, supplier := await registered(service))
    await _with_contacts(service, supplier)
    service.now += timedelta(days=days)
    await service.run_job(FORGET)
    async with service.runtime.sessions() as session:
        kept = (await session.execute(text("SELECT email FROM supplier_removed_email"))).scalars().all()
    await case.request()
    assert [contact["email"] for contact in await _warned(service, case)] == kept == warned


async def test_an_old_address_is_left_out_before_it_is_forgotten(service: Harness) -> None:
    case = Case(service, supplier := await registered(service))
    await _with_contacts(service, supplier)
    service.now += timedelta(days=91)
    await case.request()
    assert await _warned(service, case) == []


async def test_an_address_is_warned_once_whatever_its_case(service: Harness) -> None:
    supplier = await registered(service)
    await _with_contacts(service, supplier, _contact("B@ardley.example.com", "B"))
    await _with_contacts(service, supplier, _contact("b@ardley.example.com", "B"), _contact(OLD.upper(), "Again"))
    await _with_contacts(service, supplier, _contact(OLD, "C"), _contact(OLD.title(), "D"))
    case = Case(service, supplier)
    await case.request()
    assert [(contact["email"], contact["held"]) for contact in await _warned(service, case)] == [
        (OLD, "current"),
        ("b@ardley.example.com", "removed"),
    ]


@pytest.mark.parametrize("fields", [{"contacts": [_contact(EVIL)]}, {"contacts": []}, {"address": None}])
async def test_while_a_case_is_open_its_contacts_stay(service: Harness, fields: dict[str, Any]) -> None:
    case = Case(service, await registered(service))
    opened = await case.request()
    refused = await _patched(service, case.supplier, **fields)
    others = await _patched(service, case.supplier, payment_terms_days=14)
    same = [{name: value for name, value in case.supplier["contacts"][0].items() if name not in {"id", "phone_since"}}]
    unchanged = await _patched(service, case.supplier, payment_terms_days=15, contacts=same)
    await case.approver.post(f"{case.path}/rejections", json={"note": "No"})
    afterwards = await _patched(service, case.supplier, **fields)
    assert (refused.status_code, refused.json()["code"]) == (409, "contacts-locked-by-bank-account-change")
    assert refused.json()["bank_account_change_id"] == opened["id"]
    assert [error["field"] for error in refused.json()["errors"]] == list(fields)
    assert [others.status_code, unchanged.status_code, afterwards.status_code] == [200, 200, 200]
    # What became of the contacts when the case was over makes no difference to it.
    assert [(contact["email"], contact["held"]) for contact in await _warned(service, case)] == [(OLD, "current")]


async def test_contacts_sent_without_their_ids_keep_them(service: Harness) -> None:
    supplier = await registered(service)
    sent = _contact(OLD)
    as_before = await _with_contacts(service, supplier, sent)
    twice = await _with_contacts(service, supplier, sent, sent)
    assert as_before["contacts"] == supplier["contacts"]
    assert as_before["version"] == 1
    assert [contact["id"] == supplier["contacts"][0]["id"] for contact in twice["contacts"]] == [True, False]


async def test_no_address_is_in_an_event_a_history_or_a_stored_answer(service: Harness) -> None:
    supplier = await registered(service, contacts=[_contact(OLD), _contact("b@ardley.example.com", "B")])
    case = Case(service, await _with_contacts(service, supplier, _contact(EVIL)))
    async with service.as_("payments_assistant") as assistant:
        change_in = a_change(supplier["id"])
        opened = await assistant.post("/v1/bank-account-changes", json=change_in, headers={"Idempotency-Key": "1"})
    assert opened.status_code == 201
    case.path = opened.headers["location"]
    assert len(await _warned(service, case)) == 3
    assert len(await service.published(BankAccountChangeRequestedV1)) == 1
    async with service.runtime.sessions() as session:
        payloads = [row.payload.decode() for row in await session.execute(select(outbox.c.payload))]
        changes = [dict(row) for row in (await session.execute(select(change))).mappings()]
        answers = [(row.body or b"").decode() for row in await session.execute(select(idempotency_key.c.body))]
    assert len(answers) == 1
    assert "example.com" not in "".join(payloads + answers) + json.dumps(changes, default=str)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE bank_account_warning_contact SET email = 'x@evil.example'",
        "DELETE FROM bank_account_warning_contact",
        "DELETE FROM bank_account_call_back",
        "UPDATE bank_account_evidence SET reference = 'another'",
    ],
)
async def test_the_database_refuses_to_edit_what_belongs_to_a_case(service: Harness, edit: str) -> None:
    await Case(service, await registered(service)).called_back()
    with pytest.raises(DBAPIError, match="superseded, never edited"):
        async with service.runtime.sessions.begin() as session:
            await session.execute(text(edit))


async def test_callers_who_may_not_read_them(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.request()
    async with service.client() as anonymous, service.as_("auditor") as auditor:
        assert (await anonymous.get(f"{case.path}/warning-contacts")).status_code == 401
        missing = await auditor.get(f"/v1/bank-account-changes/{case.supplier['id']}/warning-contacts")
    assert (missing.status_code, missing.json()["code"]) == (404, "bank-account-change-not-found")


async def test_for_a_supplier_without_addresses_no_contact_is_warned(service: Harness) -> None:
    async with service.as_("erp") as erp:
        sent = a_supplier(contacts=[_contact(None)])
        case = Case(service, (await erp.post("/v1/suppliers", json=sent)).json())
    assert (await case.request())["warning_contacts"] == 0
    assert await _warned(service, case) == []


async def test_a_supplier_without_e_mail_is_warned_another_way_before_the_approval(service: Harness) -> None:
    """The old contacts get notice: the approver answers for it, by name, day and words."""
    case = Case(service, await registered(service, contacts=[_contact(None, phone_since="2019-04-01")]))
    await case.called_back()
    path = f"{case.path}/approvals"
    refused = await case.approver.post(path, json={"note": "In order"})
    letter = "Letter of 11 March to the address held, recorded delivery"
    approved = await case.approver.post(path, json={"warned_otherwise": letter})
    history = (await case.approver.get(f"{case.path}/history")).json()["items"]
    assert (refused.status_code, refused.json()["code"]) == (409, "supplier-not-warned")
    assert [error["field"] for error in refused.json()["errors"]] == ["warned_otherwise"]
    assert (approved.status_code, approved.json()["status"]) == (201, "approved")
    assert (approved.json()["warned_otherwise"], approved.json()["warning_contacts"]) == (letter, 0)
    assert (history[-1]["action"], history[-1]["by_name"]) == ("approved", "a.mensah")
    assert history[-1]["detail"]["warned_otherwise"] == letter


EMAILS = st.sampled_from(["a@x.example", "A@x.example", "b@x.example", "B@X.example", "c@x.example"])


@given(st.lists(EMAILS), st.lists(EMAILS))
def test_all_are_warned_none_twice_and_the_held_ones_first(current: list[str], removed: list[str]) -> None:
    day = date(2026, 3, 11)
    warned = contacts_to_warn(
        [ContactToWarn("A", email, HeldAs.CURRENT) for email in current]
        + [ContactToWarn("B", email, HeldAs.REMOVED, day) for email in removed]
    )
    emails = [contact.email.lower() for contact in warned]
    assert len(emails) == len(set(emails))
    assert set(emails) == {email.lower() for email in current + removed}
    held = {email.lower() for email in current}
    assert [contact.held == "current" for contact in warned] == [email in held for email in emails]
