"""What leaves, in which words, to which address, and what the log then says."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
from council_common.contracts.notifications import MessageFailedV1
from council_common.ids import new_id
from notification_factories import a_customer, a_notice, a_payment, a_supplier
from notification_post import CUSTOMER_ID, HOME, SUPPLIER_ID, Post, statuses
from notification_service.channels.usecases import send_messages
from notification_service.settings import Settings
from notification_stand_ins import words
from pydantic import ValidationError
from sqlalchemy import text

NO_POST: dict[str, Any] = {"lines": (), "postcode": None}


@pytest.fixture(autouse=True)
def customer(request: pytest.FixtureRequest) -> None:
    fixture = "racing_post" if "racing_post" in request.fixturenames else "post"
    request.getfixturevalue(fixture).others.customers[CUSTOMER_ID] = a_customer(HOME)


async def test_a_reminder_is_sent_and_proven(post: Post) -> None:
    notice = a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(notice)
    await post.service.deliver(notice)
    await post.send()
    (mail,) = post.mail.to(HOME)
    message = await post.message(about_kind="dunning_notice", about_id=str(notice.notice_id))
    assert mail["Subject"] == "Reminder: invoice R0000123, £45.50"
    assert mail["From"] == "Ashford Council <payments@council.example>"
    assert mail["Message-ID"] == f"<{message['id']}@council.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in mail
    assert "It was due on: 3 March 2026" in words(mail)
    assert "StepChange" in words(mail)
    assert statuses(message) == [
        ("queued", None, 0),
        ("sending", None, 1),
        ("sent", None, 1),
        ("delivered", "accepted_by_server", 1),
    ]
    async with post.service.as_("auditor") as auditor:
        body = (await auditor.get(f"/v1/messages/{message['id']}/body")).json()
    assert body["text"].rstrip() == words(mail).rstrip()
    assert body["sent_to"] == [HOME]
    assert body["body_sha256"] == message["body_sha256"]


async def test_a_business_is_not_sent_debt_advice_for_people(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer(HOME, kind="business")
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID, template="final_notice"))
    await post.send()
    assert "StepChange" not in words(post.mail.taken()[0])


async def test_an_address_that_is_refused_ends_the_message(post: Post) -> None:
    post.mail.refusals[HOME] = "550 5.1.1 No such mailbox"
    notice = a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(notice)
    await post.send()
    message = await post.message()
    assert statuses(message)[-1] == ("failed", "address_refused", 1)
    assert message["status_history"][-1]["explanation"] == "SMTP 550"
    (failed,) = await post.service.published(MessageFailedV1)
    assert (failed.about_id, failed.reason, failed.was_sent) == (notice.notice_id, "address_refused", False)


async def test_a_corrected_address_is_written_to_again(post: Post) -> None:
    post.others.suppliers[SUPPLIER_ID] = a_supplier((HOME, "remittance"))
    post.mail.refusals[HOME] = "550 No such mailbox"
    await post.service.deliver(a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0))
    await post.send()
    post.others.suppliers[SUPPLIER_ID] = a_supplier(("new@home.example", "remittance"))
    message = await post.message()
    async with post.service.as_("communications_officer") as officer:
        again = await officer.post(f"/v1/messages/{message['id']}/resendings", json={"note": "rang them"})
        assert again.status_code == 201
        await post.send()
        assert len(post.mail.to("new@home.example")) == 1
        bodies = [
            (await officer.get(f"/v1/messages/{message['id']}/body", params={"rendering": number})).json()["sent_to"]
            for number in (1, 2)
        ]
        assert bodies == [[HOME], ["new@home.example"]]
        history = (await officer.get(f"/v1/messages/{message['id']}/history")).json()["items"]
        assert [(line["action"], line["by_name"]) for line in history][2:4] == [
            ("failed", "system"),
            ("queued", "communications_officer"),
        ]
        assert (
            await officer.post(f"/v1/messages/{message['id']}/resendings", json={"note": "rang them"})
        ).status_code == 409


async def test_a_notice_that_never_left_is_not_sent_again_beside_the_next_one(post: Post) -> None:
    """debt-service took the level back when it learned of it, and its next run writes the level anew."""
    post.mail.refusals[HOME] = "550 No such mailbox"
    first = a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(first)
    await post.send()
    post.others.customers[CUSTOMER_ID] = a_customer("new@home.example")
    second = a_notice(customer_id=CUSTOMER_ID, receivable_id=first.receivable_id)
    failed = await post.message()
    async with post.service.as_("communications_officer") as officer:
        path = f"/v1/messages/{failed['id']}/resendings"
        before = await officer.post(path, json={"note": "rang them"})
        await post.service.deliver(second)
        after = await officer.post(path, json={"note": "rang them"})
    assert [(answer.status_code, answer.json()["code"]) for answer in (before, after)] == [
        (409, "dunning-notice-issued-anew")
    ] * 2
    await post.send()
    assert len(post.mail.to("new@home.example")) == 1
    assert (await post.message(about_id=str(first.notice_id)))["version"] == failed["version"]


async def test_the_server_is_greeted_by_the_domain_we_write_from(post: Post) -> None:
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert set(post.mail.greetings) == {"council.example"}


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (a_customer(None, **NO_POST), "no_address"),
        (a_customer("not an address", **NO_POST), "address_invalid"),
        (a_customer("two@lines.example\r\nBcc: all@lines.example", **NO_POST), "address_invalid"),
        (None, "recipient_unknown"),
    ],
)
async def test_a_message_without_a_usable_address_fails(post: Post, record: dict[str, Any] | None, code: str) -> None:
    post.others.customers.clear()
    if record is not None:
        post.others.customers[CUSTOMER_ID] = record
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert statuses(await post.message())[-1] == ("failed", code, 1)
    assert not post.mail.taken()


@pytest.mark.parametrize(
    ("notice", "code"),
    [({"template": "unheard_of"}, "template_unknown"), ({"channel": "sms"}, "channel_not_available")],
)
async def test_what_cannot_be_sent_fails_and_is_not_stuck(post: Post, notice: dict[str, str], code: str) -> None:
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID, **notice))
    await post.send()
    assert statuses(await post.message())[-1] == ("failed", code, 1)


async def test_a_letter_goes_to_the_print_room_with_the_address_on_top(post: Post) -> None:
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID, template="pre_legal_notice", channel="letter"))
    await post.send()
    (mail,) = post.mail.to("print-room@council.example")
    message = await post.message(channel="letter")
    assert mail["Subject"] == f"Letter to print and post: {message['id']}"
    assert words(mail).startswith("Mrs E. Ames\n4 Mill Lane\nAshford\nTN23 1AA\n\n11 March 2026\n\nWe are preparing")
    assert statuses(message)[-1] == ("delivered", "handed_to_print_room", 1)


@pytest.mark.parametrize(
    "address", [{"postcode": "QQ1 1AA"}, {"postcode": None}, {"lines": ()}, {"lines": tuple("1234567")}]
)
async def test_a_letter_needs_an_address_the_post_takes(post: Post, address: dict[str, Any]) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer(**address)
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID, channel="letter"))
    await post.send()
    assert (await post.message())["code"] == "address_invalid"


async def test_a_name_cannot_add_headers(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer(HOME, name="Eve\r\nBcc: all@home.example")
    template = {
        "name": "injection",
        "purpose": "inform",
        "channels": ["email"],
        "subject": "For {{ recipient_name }} {{ number }}",
        "text": "x",
        "placeholders": {"number": "text"},
    }
    assert (await post.template("injection", template)).status_code == 201
    async with post.service.as_("communications_officer") as officer:
        message = {
            "template": "injection",
            "recipient": {"kind": "customer", "id": str(CUSTOMER_ID)},
            "values": {"number": "1\nX-Evil: yes\u2028"},
            "note": "asked for",
        }
        assert (await officer.post("/v1/messages", json=message)).status_code == 201
    await post.send()
    (mail,) = post.mail.taken()
    assert mail["Subject"] == "For Eve Bcc: all@home.example 1 X-Evil: yes"
    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None
    assert post.mail.envelopes[0][1] == (HOME,)


async def test_two_senders_never_take_the_same_message(racing_post: Post) -> None:
    post = racing_post
    await post.service.deliver(*(a_notice(customer_id=CUSTOMER_ID) for _ in range(500)))
    await asyncio.gather(*(send_messages(post.service.runtime) for _ in range(3)))
    await post.send()
    assert len({mail["Message-ID"] for mail in post.mail.taken()}) == len(post.mail.taken()) == 500


async def test_recipients_are_asked_for_a_hundred_at_a_time(racing_post: Post) -> None:
    post = racing_post
    many = [new_id() for _ in range(250)]
    for customer_id in many:
        post.others.customers[customer_id] = a_customer(f"{customer_id}@home.example")
    await post.service.deliver(*(a_notice(customer_id=customer_id) for customer_id in many for _ in range(2)))
    await post.send()
    assert len(post.mail.raw) == 500
    assert max(count for _, count in post.others.questions) == 100


async def test_a_record_we_cannot_read_stops_its_own_message_only(post: Post) -> None:
    other = new_id()
    post.others.customers[CUSTOMER_ID] = a_customer(HOME) | {"name": None}
    post.others.customers[other] = a_customer("other@home.example")
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID), a_notice(customer_id=other))
    await post.send()
    assert len(post.mail.to("other@home.example")) == 1
    # Not the recipient's fault: it is tried again.
    assert statuses(await post.message(recipient_id=str(CUSTOMER_ID)))[-1] == ("queued", "recipient_unreadable", 1)


@pytest.mark.parametrize("poisoned", ["{{ '\\x00' }}", "{{ '\\ud800' }}"])
async def test_words_that_cannot_be_kept_end_their_own_message_only(post: Post, poisoned: str) -> None:
    before, poison = a_notice(customer_id=CUSTOMER_ID), a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(before)
    version = {"channels": ["email", "letter"], "subject": "x", "text": poisoned}
    assert (await post.template("reminder", version)).status_code == 201
    async with post.service.as_("communications_officer") as officer:
        preview = await officer.post("/v1/message-templates/reminder/previews", json={})
        assert preview.status_code == 422, preview.text
    await post.service.deliver(poison)
    await post.send()
    assert (await post.message(about_id=str(poison.notice_id)))["code"] == "template_error"
    assert (await post.message(about_id=str(before.notice_id)))["status"] == "delivered"


@pytest.mark.parametrize("name", ["mail_from", "print_room_mailbox"])
@pytest.mark.parametrize(
    "value", ["", "payments", "a@b", "Council <p@c.example>", "ü@council.example", "p@c.example\n"]
)
def test_our_own_addresses_are_checked_at_the_start(name: str, value: str) -> None:
    more: dict[str, Any] = {name: value}
    with pytest.raises(ValidationError, match=name):
        Settings(_env_file=None, database_url="", kafka_bootstrap_servers="", oidc_issuer="", **more)


async def test_of_a_long_log_the_newest_entries_are_shown(post: Post) -> None:
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    message = await post.message()
    async with post.service.runtime.sessions.begin() as session:
        await session.execute(
            text(
                "INSERT INTO change (id, entity, entity_id, version, action, reason, detail, at, by, by_name)"
                " SELECT gen_random_uuid(), 'message', id, n, 'queued', 'carrier_away',"
                " jsonb_build_object('attempt', n / 2), now(), 'system', 'system'"
                " FROM message, generate_series(2, 1500) AS n"
            )
        )
        await session.execute(text("UPDATE message SET version = 1500, attempt = 749"))
    await post.send()
    shown = (await post.message())["status_history"]
    assert (len(shown), shown[-1]["status"], shown[-1]["version"]) == (1000, "delivered", 1503)
    async with post.service.as_("auditor") as auditor:
        history = (await auditor.get(f"/v1/messages/{message['id']}/history")).json()["items"]
        assert (len(history), history[0]["action"]) == (200, "queued")
        body = await auditor.get(f"/v1/messages/{message['id']}/body", params={"rendering": 1_750})
        assert body.status_code == 404  # a number that a long outage reaches, and no rendering under it


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x85", "\r", "\r\n", "\u200b", "\ufeff"])
async def test_no_character_of_a_value_changes_the_words_that_were_kept(post: Post, end: str) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer(HOME, name=f"Mrs{end}Ames")
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID, number=f"R1{end}2"))
    await post.send()
    message = await post.message()
    async with post.service.as_("auditor") as auditor:
        body = (await auditor.get(f"/v1/messages/{message['id']}/body")).json()
    assert words(post.mail.taken()[0]).removesuffix("\n") == body["text"].removesuffix("\n")
    assert hashlib.sha256(body["text"].encode()).hexdigest() == message["body_sha256"]
