"""Templates of letters need a second person, and ask for no more than their sender fills in (case R9)."""

from __future__ import annotations

from typing import Any

import pytest
from council_common.contracts.debts import DunningNoticeIssuedV1
from council_common.contracts.message_values import VALUES_FILLED, Sender
from council_common.contracts.notifications import (
    MessageTemplateApprovedV1,
    MessageTemplateProposedV1,
    MessageTemplateRejectedV1,
)
from council_common.contracts.suppliers import BankAccountChangeRequestedV1
from notification_factories import a_customer, a_notice, a_payment
from notification_post import CUSTOMER_ID, Post
from notification_service.remittances.rules import advice_values, payment_facts
from notification_stand_ins import words

NOTE = {"note": "read and right"}
VERSIONS = "/v1/message-templates/reminder/versions"


def a_version(**more: Any) -> dict[str, Any]:
    return {
        "channels": ["email", "letter"],
        "subject": "Please pay",
        "text": "Pay {{ number }}",
        "placeholders": {"number": "text"},
        **more,
    }


async def test_versions_are_added_and_never_changed(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer()
    old = a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(old)
    added = await post.template("reminder", a_version())
    assert (added.status_code, added.json()["version"], added.headers["etag"]) == (201, 2, '"3"')
    assert added.headers["location"] == f"{VERSIONS}/2"
    async with post.service.as_("communications_officer") as officer:
        named = a_version(name="reminder")
        assert (await officer.post("/v1/message-templates", json=named)).status_code == 409
        assert (await officer.post("/v1/message-templates/nothing/versions", json=a_version())).status_code == 404
        versions = (await officer.get(VERSIONS)).json()["items"]
        assert [(version["version"], version["status"]) for version in versions] == [(1, "approved"), (2, "approved")]
        assert (await officer.get(f"{VERSIONS}/1")).json()["version"] == 1
        first_page = await officer.get(VERSIONS, params={"limit": 1})
        assert [version["version"] for version in first_page.json()["items"]] == [1]
        history = (await officer.get("/v1/message-templates/reminder/history")).json()["items"]
        assert [(line["version"], line["action"], line["by_name"]) for line in history] == [
            (1, "proposed", "system"),
            (2, "approved", "system"),
            (3, "proposed", "communications_officer"),
            (4, "approved", "debt_recovery_officer"),
        ]
        newest = await officer.get("/v1/message-templates/reminder")
        assert (newest.json()["version"], newest.headers["etag"]) == (2, '"4"')
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    first, second = sorted(post.mail.taken(), key=lambda mail: len(words(mail)), reverse=True)
    assert first["Subject"].startswith("Reminder: invoice")
    assert second["Subject"] == "Please pay"
    assert (await post.message(about_id=str(old.notice_id)))["template_version"] == 1


async def test_a_version_is_used_once_a_second_person_has_approved_it(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer()
    proposed = await post.template("reminder", a_version(), approved=False)
    assert (proposed.json()["status"], proposed.json()["in_use"]) == ("proposed", 1)
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert (await post.message())["template_version"] == 1
    async with post.service.as_("communications_officer") as writer, post.service.as_("ap_manager") as second:
        waiting = (await second.get("/v1/message-templates", params={"waiting": True})).json()["items"]
        assert [(one["name"], one["version"]) for one in waiting] == [("reminder", 1)]
        own = await writer.post(f"{VERSIONS}/2/approvals", json=NOTE)
        assert (own.status_code, own.json()["code"]) == (403, "own-request")
        without = await second.post(f"{VERSIONS}/2/approvals", json={})
        assert (without.status_code, without.json()["errors"][0]["field"]) == (422, "note")
        approved = await second.post(f"{VERSIONS}/2/approvals", json=NOTE)
        assert (approved.status_code, approved.json()["status"]) == (201, "approved")
        assert approved.json()["decision_note"] == NOTE["note"]
        assert approved.json()["decided_by"] not in {None, approved.json()["created_by"]}
        again = await second.post(f"{VERSIONS}/2/rejections", json=NOTE)
        assert (again.status_code, again.json()["code"]) == (409, "message-template-version-not-proposed")
        assert (await second.get("/v1/message-templates", params={"waiting": True})).json()["items"] == []
    async with post.service.as_("auditor") as auditor:
        assert (await auditor.post(f"{VERSIONS}/2/approvals", json=NOTE)).status_code == 403
    published = await post.service.published(MessageTemplateProposedV1, MessageTemplateApprovedV1)
    assert [(event.template, event.template_version, event.version) for event in published] == [
        ("reminder", 2, 3),
        ("reminder", 2, 4),
    ]


async def test_a_rejected_or_superseded_version_is_never_used(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer()
    await post.template("reminder", a_version(), approved=False)
    await post.template("reminder", a_version(), approved=False)
    async with post.service.as_("debt_recovery_officer") as second:
        late = await second.post(f"{VERSIONS}/2/approvals", json=NOTE)
        assert (late.status_code, late.json()["code"]) == (409, "message-template-version-not-proposed")
        assert (await second.post(f"{VERSIONS}/3/rejections", json={"note": "too rude"})).status_code == 201
        versions = (await second.get(VERSIONS)).json()["items"]
        assert [one["status"] for one in versions] == ["approved", "superseded", "rejected"]
        assert (await second.post(f"{VERSIONS}/9/approvals", json=NOTE)).status_code == 404
    [rejected] = await post.service.published(MessageTemplateRejectedV1)
    assert rejected.template_version == 3
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert (await post.message())["template_version"] == 1


async def test_nothing_is_written_by_a_template_that_nobody_approved(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer()
    mine = a_version(name="mine", written_for="dunning_notice")
    assert (await post.template("mine", mine, approved=False)).json()["in_use"] is None
    message = {
        "template": "mine",
        "recipient": {"kind": "customer", "id": str(CUSTOMER_ID)},
        "values": {"number": "R0000123"},
        "receivable_id": str(CUSTOMER_ID),
        "note": "asked for",
    }
    async with post.service.as_("communications_officer") as officer:
        refused = await officer.post("/v1/messages", json=message)
    assert (refused.status_code, refused.json()["code"]) == (409, "message-template-not-approved")
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID, template="mine"))
    await post.send()
    assert (await post.message())["code"] == "template_unknown"
    assert not post.mail.raw


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"text": "{{ court }}", "placeholders": {"court": "text"}}, "placeholders.court"),
        ({"text": "{{ number }}", "placeholders": {"number": "count"}}, "placeholders.number"),
        ({"channels": ["email"]}, "channels"),
    ],
)
async def test_r9_a_version_that_no_notice_could_be_written_by_is_refused_when_it_is_saved(
    post: Post, wrong: dict[str, Any], field: str
) -> None:
    refused = await post.template("reminder", a_version(**wrong))
    assert (refused.status_code, refused.json()["code"]) == (422, "message-template-malformed")
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    # By hand, under another name, the same words may be used.
    assert (await post.template("by_hand", a_version(name="by_hand", **wrong))).status_code == 201


@pytest.mark.parametrize(
    ("sender", "purpose"), [("dunning_notice", "inform"), ("payment", "enforce_debt"), ("bank_account_change", None)]
)
async def test_a_template_has_the_purpose_of_its_sender(post: Post, sender: str, purpose: str | None) -> None:
    body = a_version(name="mine", written_for=sender, text="x", placeholders={}) | (
        {} if purpose is None else {"purpose": purpose}
    )
    refused = await post.template("mine", body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "purpose")


def test_r9_every_sender_fills_in_what_is_declared() -> None:
    paid = a_payment(supplier_id=CUSTOMER_ID)
    assert advice_values(payment_facts(paid), None).keys() == VALUES_FILLED[Sender.PAYMENT].keys()
    assert VALUES_FILLED[Sender.DUNNING_NOTICE].keys() <= DunningNoticeIssuedV1.model_fields.keys()
    assert VALUES_FILLED[Sender.BANK_ACCOUNT_CHANGE].keys() <= BankAccountChangeRequestedV1.model_fields.keys()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"due_on": "2026-02-30"}, "values.due_on"),
        ({"due_on": "30/03/2026"}, "values.due_on"),
        ({"outstanding_pence": "ten"}, "values.outstanding_pence"),
        ({"outstanding_pence": -500}, "values.outstanding_pence"),
        ({"outstanding_pence": 45.5}, "values.outstanding_pence"),
        ({"outstanding_pence": True}, "values.outstanding_pence"),
        ({"days_overdue": -8}, "values.days_overdue"),
        ({"number": " "}, "values.number"),
        ({"number": 123}, "values.number"),
        ({"surname": "Ames"}, "values.surname"),
        ({"number": None}, "values.number"),
    ],
)
async def test_values_of_a_message_sent_by_hand_are_checked_before_it_is_queued(
    post: Post, values: dict[str, Any], field: str
) -> None:
    """Without a debt to compare them with, too."""
    post.others.customers[CUSTOMER_ID] = a_customer()
    kinds = {"number": "text", "due_on": "date", "outstanding_pence": "pence", "days_overdue": "count"}
    await post.template("mine", a_version(name="mine", purpose="inform", placeholders=kinds))
    good = {"number": "R0000123", "due_on": "2026-03-03", "outstanding_pence": 4_550, "days_overdue": 8}
    message = {
        "template": "mine",
        "recipient": {"kind": "customer", "id": str(CUSTOMER_ID)},
        "values": good | values,
        "note": "asked for",
    }
    async with post.service.as_("receivables_coordinator") as officer:
        refused = await officer.post("/v1/messages", json=message)
        assert (refused.status_code, refused.json()["code"]) == (422, "message-values-malformed")
        assert [error["field"] for error in refused.json()["errors"]] == [field]
        assert await post.messages() == []
        del good["due_on"]
        missing = await officer.post("/v1/messages", json=message | {"values": good})
        assert [error["field"] for error in missing.json()["errors"]] == ["values.due_on"]


async def test_nobody_makes_up_the_lines_of_an_advice(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer()
    message = {
        "template": "remittance_advice",
        "recipient": {"kind": "customer", "id": str(CUSTOMER_ID)},
        "values": advice_values(payment_facts(a_payment(supplier_id=CUSTOMER_ID)), None),
        "note": "asked for",
    }
    async with post.service.as_("payments_assistant") as officer:
        refused = await officer.post("/v1/messages", json=message)
    assert [error["field"] for error in refused.json()["errors"]] == ["values.items"]
