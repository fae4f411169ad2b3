from __future__ import annotations

import csv
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from council_common.contracts.notifications import MessageDeliveredV1, MessageFailedV1, MessageSentV1
from council_common.database.tables import outbox
from council_common.events.handlers import Received
from council_common.ids import new_id
from notification_factories import a_customer, a_hold, a_notice, a_payment, a_supplier
from notification_post import CUSTOMER_ID, SUPPLIER_ID, Post
from notification_stand_ins import a_debt
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

RECEIVABLE_ID = new_id()


def by_hand(**more: Any) -> dict[str, Any]:
    values = {
        "number": "R0000123",
        "level": 1,
        "issued_on": "2026-03-11",
        "due_on": "2026-03-03",
        "outstanding_pence": 4_550,
        "days_overdue": 8,
    }
    return {
        "template": "reminder",
        "channel": "email",
        "recipient": {"kind": "customer", "id": str(CUSTOMER_ID)},
        "values": values,
        "reference": "R0000123",
        "receivable_id": str(RECEIVABLE_ID),
        "note": "asked for on the telephone",
        **more,
    }


@pytest.fixture(autouse=True)
def records(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer()
    post.others.suppliers[SUPPLIER_ID] = a_supplier(("ledger@ackroyd.example", "remittance"))


async def test_an_officer_sends_a_message_by_hand_once(post: Post) -> None:
    async with post.service.as_("communications_officer") as officer:
        headers = {"idempotency-key": "one"}
        first = await officer.post("/v1/messages", json=by_hand(), headers=headers)
        again = await officer.post("/v1/messages", json=by_hand(), headers=headers)
        assert first.status_code == again.status_code == 201
        assert first.json() == again.json()
        assert first.headers["etag"] == '"1"'
        await post.send()
        message = (await officer.get(first.headers["location"])).json()
        body = (await officer.get(f"{first.headers['location']}/body")).json()
    assert message["status"] == "delivered"
    assert message["recipient"] == {"kind": "customer", "id": str(CUSTOMER_ID)}
    assert message["about"]["kind"] == "by_hand"
    assert message["body_sha256"] == hashlib.sha256(body["text"].encode()).hexdigest()
    assert len(post.mail.raw) == 1


async def test_about_the_same_thing_a_template_is_sent_once(post: Post) -> None:
    about = {"kind": "complaint", "id": str(new_id())}
    async with post.service.as_("communications_officer") as officer:
        assert (await officer.post("/v1/messages", json=by_hand(about=about))).status_code == 201
        second = await officer.post("/v1/messages", json=by_hand(about=about))
    assert (second.status_code, second.json()["code"]) == (409, "message-already-written")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"channel": "sms"}, "channel"),
        ({"channel": "pigeon"}, "channel"),
        ({"values": {}}, "values.number"),
        ({"recipient": {"kind": "neighbour", "id": str(CUSTOMER_ID)}}, "recipient.kind"),
        ({"reference": "nul\x00"}, "reference"),
        ({"values": {"number": "nul\x00"}}, "values.number"),
        ({"values": {"number": "half \ud800"}}, "values.number"),
        ({"values": {"number": [{"nul\x00": 1}]}}, "values.number"),
        ({"values": {"level": float("nan")}}, "values.level"),
        ({"values": {"outstanding_pence": float("inf")}}, "values.outstanding_pence"),
        ({"values": {"number": json.loads("[" * 25 + "]" * 25)}}, "values.number"),
        ({"surprise": 1}, "surprise"),
        # What becomes of such a message is the delivery of the notice itself.
        ({"about": {"kind": "dunning_notice", "id": str(CUSTOMER_ID)}}, "about"),
        ({"about": {"kind": "payment", "id": str(CUSTOMER_ID)}}, "about"),
        ({"about": {"kind": "bank_account_change", "id": str(CUSTOMER_ID)}}, "about"),
    ],
)
async def test_a_message_that_cannot_be_is_refused_by_field(post: Post, wrong: dict[str, Any], field: str) -> None:
    async with post.service.as_("communications_officer") as officer:
        # As a careless client writes it: httpx itself refuses NaN.
        body = json.dumps(by_hand(**wrong))
        answer = await officer.post("/v1/messages", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_a_template_that_is_not_there_is_not_found(post: Post) -> None:
    async with post.service.as_("communications_officer") as officer:
        answer = await officer.post("/v1/messages", json=by_hand(template="unheard_of"))
    assert (answer.status_code, answer.json()["code"]) == (404, "message-template-not-found")
    assert [error["field"] for error in answer.json()["errors"]] == ["template"]


async def test_words_that_only_look_like_nul_are_kept(post: Post) -> None:
    async with post.service.as_("communications_officer") as officer:
        given = by_hand()
        given["values"]["number"] = "a\\u0000"
        post.others.receivables[RECEIVABLE_ID] = a_debt(number="a\\u0000")
        assert (await officer.post("/v1/messages", json=given)).status_code == 201


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/messages", {"created_to": "9999-12-31"}),
        ("/v1/messages", {"created_from": "0001-01-01"}),
        ("/v1/messages/totals", {"created_to": "9999-12-31"}),
        ("/v1/messages", {"from": "2026-03-11"}),
        ("/v1/messages/totals", {"to": "2026-03-11"}),
        ("/v1/messages", {"template": "\x00"}),
        ("/v1/messages", {"about_kind": "\x00"}),
        ("/v1/message-templates/%00", {}),
        ("/v1/message-templates/%00/versions", {}),
    ],
)
async def test_a_question_that_cannot_be_is_refused(post: Post, path: str, query: dict[str, str]) -> None:
    async with post.service.as_("auditor") as auditor:
        answer = await auditor.get(path, params=query)
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 1)


async def test_an_unsent_message_is_cancelled_and_a_sent_one_is_not(post: Post) -> None:
    async with post.service.as_("communications_officer") as officer:
        one = (await officer.post("/v1/messages", json=by_hand())).json()["id"]
        cancelled = await officer.post(f"/v1/messages/{one}/cancellations", json={"note": "wrong invoice"})
        assert (cancelled.status_code, cancelled.json()["status"]) == (201, "cancelled")
        two = (await officer.post("/v1/messages", json=by_hand())).json()["id"]
        await post.send()
        late = await officer.post(f"/v1/messages/{two}/cancellations", json={"note": "rang them"})
        assert (late.status_code, late.json()["code"]) == (409, "illegal-move")
        history = (await officer.get(f"/v1/messages/{one}/history")).json()["items"]
        assert (
            await officer.post(f"/v1/messages/{new_id()}/cancellations", json={"note": "rang them"})
        ).status_code == 404
        assert (await officer.get(f"/v1/messages/{one}/body")).status_code == 404
    assert [(line["action"], line["reason"], line["detail"].get("note"), line["by_name"]) for line in history] == [
        ("queued", None, "asked for on the telephone", "communications_officer"),
        ("cancelled", "cancelled_by_hand", "wrong invoice", "communications_officer"),
    ]
    (failed,) = await post.service.published(MessageFailedV1)
    assert (str(failed.message_id), failed.reason, failed.was_sent) == (one, "cancelled_by_hand", False)
    assert failed.version == 2
    assert len(post.mail.raw) == 1


async def test_the_list_filters_pages_and_counts(post: Post) -> None:
    notices = [a_notice(customer_id=CUSTOMER_ID) for _ in range(5)]
    await post.service.deliver(*notices, a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0))
    await post.send()
    for filters, count in (
        ({"template": "reminder"}, 5),
        ({"channel": "letter"}, 0),
        ({"status": "delivered"}, 6),
        ({"recipient_kind": "supplier", "recipient_id": str(SUPPLIER_ID)}, 1),
        ({"about_kind": "dunning_notice", "about_id": str(notices[2].notice_id)}, 1),
        ({"created_from": "2026-03-11", "created_to": "2026-03-11"}, 6),
        ({"created_from": "2026-03-12"}, 0),
        ({"created_to": "2026-03-10"}, 0),
    ):
        assert len(await post.messages(**filters)) == count, filters
    async with post.service.as_("auditor") as auditor:
        seen: list[str] = []
        cursor: str | None = None
        for _ in range(3):
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await auditor.get("/v1/messages", params=params)).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next"]
        totals = (
            await auditor.get("/v1/messages/totals", params={"created_from": "2026-03-11", "created_to": "2026-03-11"})
        ).json()
        nothing = (await auditor.get("/v1/messages/totals", params={"created_from": "2026-03-12"})).json()
    assert cursor is None
    assert len(set(seen)) == 6
    assert {(total["template"], total["status"], total["count"]) for total in totals["items"]} == {
        ("reminder", "delivered", 5),
        ("remittance_advice", "delivered", 1),
    }
    assert totals["count"] == len(post.mail.raw) == 6
    assert nothing == {"items": [], "count": 0}


@pytest.mark.parametrize(
    ("table", "column"),
    [("change", "version"), ("message_template_version", "version"), ("rendering", "number")],
)
async def test_what_is_evidence_only_grows(post: Post, table: str, column: str) -> None:
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    for change in (f"UPDATE {table} SET {column} = 9", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(DBAPIError, match="only grows"):
            async with post.service.runtime.sessions.begin() as session:
                await session.execute(text(change))


async def test_who_may_read_and_who_may_write(post: Post) -> None:
    async with post.service.client() as stranger, post.service.as_("auditor") as auditor:
        assert (await stranger.get("/v1/messages")).status_code == 401
        assert (await auditor.get("/v1/messages")).status_code == 200
        assert (await auditor.post("/v1/messages", json=by_hand())).status_code == 403


@pytest.mark.parametrize(
    "role",
    [
        "payments_assistant",
        "ap_manager",
        "early_payment_coordinator",
        "receivables_coordinator",
        "debt_recovery_officer",
        "communications_officer",
    ],
)
async def test_officers_who_talk_to_suppliers_and_debtors_send_and_send_again_with_a_reason(
    post: Post, role: str
) -> None:
    post.others.suppliers[SUPPLIER_ID] = a_supplier(("gone@ackroyd.example", "remittance"))
    post.mail.refusals["gone@ackroyd.example"] = "550 No such mailbox"
    await post.service.deliver(a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0))
    await post.send()
    advice = (await post.messages(template="remittance_advice"))[0]["id"]
    template = {"name": "mine", "channels": ["email"], "subject": "x", "text": "x"}
    async with post.service.as_(role) as officer:
        written = await officer.post("/v1/messages", json=by_hand())
        assert written.status_code == 201, written.text
        for act in (f"/v1/messages/{written.json()['id']}/cancellations", f"/v1/messages/{advice}/resendings"):
            without = await officer.post(act, json={})
            assert (without.status_code, without.json()["errors"][0]["field"]) == (422, "note")
            assert (await officer.post(act, json={"note": "rang them"})).status_code == 201
        added = await officer.post("/v1/message-templates", json=template)
        assert added.status_code == (201 if role == "communications_officer" else 403)
        history = (await officer.get(f"/v1/messages/{advice}/history")).json()["items"]
    assert (history[-1]["reason"], history[-1]["detail"]["note"]) == ("sent_again_by_hand", "rang them")


async def test_messages_and_their_totals_are_downloaded_with_names(post: Post) -> None:
    await post.service.deliver(
        a_notice(customer_id=CUSTOMER_ID, number="=1+1"), a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0)
    )
    await post.send()
    async with post.service.as_("auditor") as auditor:
        listed = await auditor.get("/v1/messages/export.csv", params={"sort": "created_at", "channel": "email"})
        totals = await auditor.get("/v1/messages/totals/export.csv", params={"created_from": "2026-03-11"})
    rows = list(csv.DictReader(listed.text.removeprefix("\ufeff").splitlines()))
    assert {(row["template"], row["supplier_name"], row["customer_name"], row["reference"]) for row in rows} == {
        ("reminder", "", "Mrs E. Ames", "'=1+1"),
        ("remittance_advice", "Ackroyd Paving Ltd", "", "INV-0001"),
    }
    assert totals.text.removeprefix("\ufeff").splitlines() == [
        "template,channel,status,count",
        "reminder,email,delivered,1",
        "remittance_advice,email,delivered,1",
    ]


async def test_every_change_has_a_version_and_an_event_of_its_own(post: Post) -> None:
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    message = await post.message()
    async with post.service.as_("auditor") as auditor:
        history = (await auditor.get(f"/v1/messages/{message['id']}/history")).json()["items"]
    assert [(line["version"], line["action"]) for line in history] == [
        (1, "queued"),
        (2, "sending"),
        (3, "sent"),
        (4, "delivered"),
    ]
    assert [event.version for event in await post.service.published(MessageSentV1, MessageDeliveredV1)] == [3, 4]
    assert message["version"] == 4


async def test_what_becomes_of_a_message_carries_the_trace_of_what_it_was_written_for(post: Post) -> None:
    notices = [a_notice(customer_id=CUSTOMER_ID) for _ in range(2)]
    paid = a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0)
    written_for = {notice.notice_id: notice for notice in notices} | {paid.payment_id: paid}
    traces = {about: f"00-{number:032x}-{number:016x}-01" for number, about in enumerate(written_for, start=1)}
    async with post.service.runtime.sessions.begin() as session:
        received = [Received(event, new_id(), post.service.now, traces[about]) for about, event in written_for.items()]
        await post.service.service.handlers.handle(session, received)
    post.service.now += timedelta(hours=1)
    await post.send()
    async with post.service.runtime.sessions.begin() as session:
        payloads = map(json.loads, (await session.execute(select(outbox.c.payload))).scalars())
    carried = [(event["data"]["about_id"], event.get("traceparent")) for event in payloads]
    assert sorted(carried) == sorted(
        (str(about), trace) for about, trace in traces.items() for _ in ("sent", "delivered")
    )


async def test_what_withdraws_a_message_is_the_cause_of_its_event(post: Post) -> None:
    """The trace of a hold goes on in the event about the letter that it stopped, however many are handled at once."""
    held, other = a_notice(customer_id=CUSTOMER_ID), a_notice(customer_id=CUSTOMER_ID)
    traces = {notice.receivable_id: f"00-{number:032x}-{number:016x}-01" for number, notice in ((1, held), (2, other))}
    await post.service.deliver(held, other)
    async with post.service.runtime.sessions.begin() as session:
        received = [
            Received(a_hold(notice), new_id(), post.service.now, traces[notice.receivable_id])
            for notice in (held, other)
        ]
        await post.service.service.handlers.handle(session, received)
        payloads = (await session.execute(select(outbox.c.payload))).scalars().all()
    carried = {
        (event := json.loads(payload))["data"]["about_id"]: event["traceparent"]
        for payload in payloads
        if b"message.failed" in payload
    }
    assert carried == {str(notice.notice_id): traces[notice.receivable_id] for notice in (held, other)}
