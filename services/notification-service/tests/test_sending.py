"""What a mail server may do to us, and what the log then says."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from council_common.contracts.notifications import MessageFailedV1
from council_common.ids import new_id
from notification_factories import a_customer, a_notice, a_payment, a_supplier
from notification_post import CUSTOMER_ID, SUPPLIER_ID, Post
from notification_service.channels.usecases import send_messages
from notification_service.settings import Settings, settings_of
from notification_stand_ins import words
from pydantic import ValidationError
from sqlalchemy import text

HOME = "mrs.ames@home.example"


def statuses(message: dict[str, Any]) -> list[tuple[str, str | None, int]]:
    return [(entry["status"], entry["code"], entry["attempt"]) for entry in message["status_history"]]


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
    (told,) = await post.service.published(MessageFailedV1)
    assert (told.about_id, told.reason, told.was_sent) == (notice.notice_id, "address_refused", False)


async def test_a_corrected_address_is_written_to_again(post: Post) -> None:
    post.others.suppliers[SUPPLIER_ID] = a_supplier((HOME, "remittance"))
    post.mail.refusals[HOME] = "550 No such mailbox"
    await post.service.deliver(a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0))
    await post.send()
    post.others.suppliers[SUPPLIER_ID] = a_supplier(("new@home.example", "remittance"))
    message = await post.message()
    async with post.service.as_("communications_officer") as officer:
        again = await officer.post(f"/v1/messages/{message['id']}/resendings", json={"reason": "rang them"})
        assert again.status_code == 201
        await post.send()
        assert len(post.mail.to("new@home.example")) == 1
        bodies = [
            (await officer.get(f"/v1/messages/{message['id']}/body", params={"rendering": number})).json()["sent_to"]
            for number in (1, 2)
        ]
        assert bodies == [[HOME], ["new@home.example"]]
        history = (await officer.get(f"/v1/messages/{message['id']}/history")).json()
        assert [(each["action"], each["by_name"]) for each in history][2:4] == [
            ("failed", "system"),
            ("queued", "communications_officer"),
        ]
        assert (await officer.post(f"/v1/messages/{message['id']}/resendings", json={})).status_code == 409


async def test_a_notice_that_never_left_is_not_sent_again_beside_the_next_one(post: Post) -> None:
    """debt-service took the level back when it was told, and its next run writes the level anew."""
    post.mail.refusals[HOME] = "550 No such mailbox"
    first = a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(first)
    await post.send()
    post.others.customers[CUSTOMER_ID] = a_customer("new@home.example")
    second = a_notice(customer_id=CUSTOMER_ID, receivable_id=first.receivable_id)
    failed = await post.message()
    async with post.service.as_("communications_officer") as officer:
        path = f"/v1/messages/{failed['id']}/resendings"
        before = await officer.post(path, json={})
        await post.service.deliver(second)
        after = await officer.post(path, json={})
    assert [(each.status_code, each.json()["code"]) for each in (before, after)] == [
        (409, "dunning-notice-issued-anew")
    ] * 2
    await post.send()
    assert len(post.mail.to("new@home.example")) == 1
    assert (await post.message(about_id=str(first.notice_id)))["version"] == failed["version"]


async def _send_and_hang_up(post: Post) -> None:
    """A notice whose mail server hangs up when it has the whole of it, before it answers."""

    def hang_up(server: Any) -> str | None:
        server.transport.abort()
        return None

    post.mail.on_data = hang_up
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    post.mail.on_data = None


async def test_a_notice_that_may_have_left_is_not_told_as_never_sent(post: Post) -> None:
    await _send_and_hang_up(post)
    post.mail.refusals[HOME] = "550 No such mailbox"
    post.service.now += timedelta(minutes=1)
    await post.send()
    message = await post.message()
    assert len(post.mail.raw) == 1
    assert statuses(message)[-1] == ("failed", "address_refused", 2)
    (told,) = await post.service.published(MessageFailedV1)
    assert told.was_sent is True
    # Its level stands, nothing is written in its place: so it may be sent again.
    post.mail.refusals.clear()
    async with post.service.as_("communications_officer") as officer:
        assert (await officer.post(f"/v1/messages/{message['id']}/resendings", json={})).status_code == 201


async def test_a_server_that_closes_before_it_takes_the_letter_has_not_got_it(post: Post) -> None:
    post.mail.refusals[HOME] = "421 4.3.2 Going down"
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert statuses(await post.message())[-1] == ("queued", "connection_lost", 1)
    post.mail.refusals[HOME] = "550 No such mailbox"
    post.service.now += timedelta(minutes=1)
    await post.send()
    assert [event.was_sent for event in await post.service.published(MessageFailedV1)] == [False]


async def test_a_busy_mailbox_is_tried_again_and_given_up_in_the_end(post: Post) -> None:
    post.mail.refusals[HOME] = "451 4.3.0 Mailbox busy"
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    for _ in range(10):
        await post.send()
        post.service.now += timedelta(hours=4)
    history = statuses(await post.message())
    assert [entry for entry in history if entry[0] == "queued"][1:] == [
        ("queued", "address_busy", number) for number in range(1, 8)
    ]
    assert history[-1] == ("failed", "address_busy", 8)


async def test_a_busy_mailbox_that_recovers_gets_the_same_message(post: Post) -> None:
    post.mail.refusals[HOME] = "451 4.3.0 Mailbox busy"
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    await post.send()
    post.mail.refusals.clear()
    # What was put into words stays so, whatever has become of the record meanwhile.
    post.others.customers.clear()
    post.service.now += timedelta(minutes=1)
    await post.send()
    assert len(post.mail.to(HOME)) == 1
    assert (await post.message())["status_history"][-1]["attempt"] == 2


async def test_a_connection_that_drops_is_no_end(post: Post) -> None:
    await _send_and_hang_up(post)
    post.service.now += timedelta(minutes=1)
    await post.send()
    first, second = post.mail.to(HOME)
    assert first["Message-ID"] == second["Message-ID"]
    assert statuses(await post.message())[2:4] == [("queued", "connection_lost", 1), ("sending", None, 2)]


async def test_a_mail_server_that_is_away_is_waited_for(post: Post) -> None:
    settings = settings_of(post.service.runtime)
    post.service.runtime.settings = settings.model_copy(update={"smtp_port": 1})
    await post.service.deliver(*(a_notice(customer_id=CUSTOMER_ID) for _ in range(20)))
    for _ in range(12):
        await post.send()
        post.service.now += timedelta(minutes=1)
    messages = [await post.message(about_id=each["about"]["id"]) for each in await post.messages(status="queued")]
    assert len(messages) == 20
    (asking,) = [each for each in messages if each["code"] == "carrier_away"]
    assert asking["status_history"][-1]["explanation"] == "SMTPConnectError"
    # One message finds out once a minute; the log of the others does not grow.
    assert [len(each["status_history"]) for each in messages if each != asking] == [1] * 19
    assert asking["attempt"] <= 12 + 4
    post.service.runtime.settings = settings
    await post.send()
    assert len(post.mail.taken()) == 20


async def test_a_mail_server_that_is_away_is_asked_once_a_minute(post: Post) -> None:
    settings = settings_of(post.service.runtime)
    post.service.runtime.settings = settings.model_copy(update={"smtp_port": 1})
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID), a_notice(customer_id=CUSTOMER_ID))
    for _ in range(240):
        await post.send()
        post.service.now += timedelta(seconds=5)
    # 5, 10, 20, 40 seconds, then every minute for the rest of twenty.
    assert sum(each["attempt"] for each in await post.messages()) == 5 + (20 * 60 - 75) // 60


async def test_a_connection_more_than_the_server_takes_stops_nobody(post: Post) -> None:
    post.mail.takes_connections = 1
    await post.service.deliver(*(a_notice(customer_id=CUSTOMER_ID) for _ in range(20)))
    await post.send()
    assert len(post.mail.taken()) == 20
    assert {each["attempt"] for each in await post.messages()} == {1}


async def test_the_server_is_greeted_by_the_domain_we_write_from(post: Post) -> None:
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert set(post.mail.greetings) == {"council.example"}


async def test_a_refusal_of_our_own_set_up_ends_no_message(post: Post) -> None:
    post.mail.refusals[HOME] = "504 5.5.2 <pod>: Helo command rejected: need fully-qualified hostname"
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert statuses(await post.message())[-1] == ("queued", "sender_refused", 1)
    for _ in range(24 * 12):
        post.service.now += timedelta(minutes=5)
        await post.send()
    # 5 seconds doubled up to an hour: the log of a day's outage stays short, and nothing has ended.
    message = await post.message()
    assert (message["status"], message["code"]) == ("queued", "sender_refused")
    assert 24 <= message["attempt"] <= 36


async def test_waits_for_our_own_side_are_no_refusals(post: Post) -> None:
    """RFC 5321 §4.2.1: after an outage the first "try later" of a greylisting server is the first."""
    settings = settings_of(post.service.runtime)
    post.service.runtime.settings = settings.model_copy(update={"smtp_port": 1})
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    for _ in range(8):
        await post.send()
        post.service.now += timedelta(minutes=1)
    post.service.runtime.settings = settings
    post.mail.refusals[HOME] = "451 4.7.1 Greylisted, try again later"
    for _ in range(7):
        await post.send()
        assert (await post.message())["code"] == "address_busy"
        assert (await post.message())["status"] == "queued"
        post.service.now += timedelta(hours=4)
    await post.send()
    assert statuses(await post.message())[-1][:2] == ("failed", "address_busy")


async def test_a_service_that_is_away_is_waited_for(post: Post) -> None:
    post.others.away = True
    post.others.suppliers[SUPPLIER_ID] = a_supplier(("a@ackroyd.example", "general"))
    await post.service.deliver(a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0), a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert {message["code"] for message in await post.messages(status="queued")} == {"recipient_service_away"}
    post.others.away = False
    post.service.now += timedelta(minutes=1)
    await post.send()
    assert len(post.mail.taken()) == 2


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (a_customer(None), "no_address"),
        (a_customer("not an address"), "address_invalid"),
        (a_customer("two@lines.example\r\nBcc: all@lines.example"), "address_invalid"),
        (None, "recipient_unknown"),
    ],
)
async def test_nobody_to_write_to(post: Post, record: dict[str, Any] | None, code: str) -> None:
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
    async with post.service.as_("communications_officer") as officer:
        template = {
            "name": "injection",
            "channels": ["email"],
            "subject": "For {{ recipient_name }} {{ number }}",
            "text": "x",
            "placeholders": ["number"],
        }
        assert (await officer.post("/v1/message-templates", json=template)).status_code == 201
        message = {
            "template": "injection",
            "recipient": {"kind": "customer", "id": str(CUSTOMER_ID)},
            "values": {"number": "1\nX-Evil: yes\u2028"},
        }
        assert (await officer.post("/v1/messages", json=message)).status_code == 201
    await post.send()
    (mail,) = post.mail.taken()
    assert mail["Subject"] == "For Eve Bcc: all@home.example 1 X-Evil: yes"
    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None
    assert post.mail.envelopes[0][1] == (HOME,)


async def test_a_crash_after_the_server_took_it_sends_again_with_the_same_message_id(racing_post: Post) -> None:
    post = racing_post
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    sending = asyncio.create_task(send_messages(post.service.runtime))
    post.mail.on_data = lambda _: sending.cancel() and None
    with pytest.raises(asyncio.CancelledError):
        await sending
    post.mail.on_data = None
    await post.send()
    assert len(post.mail.taken()) == 1, "the lease holds"
    post.service.now += timedelta(seconds=61)
    post.others.customers[CUSTOMER_ID] = a_customer("other@home.example", name="Other")
    await post.send()
    first, second = post.mail.to(HOME)
    assert first["Message-ID"] == second["Message-ID"]
    assert words(first) == words(second)
    assert statuses(await post.message()) == [
        ("queued", None, 0),
        ("sending", None, 1),
        ("sending", None, 2),
        ("sent", None, 2),
        ("delivered", "accepted_by_server", 2),
    ]


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


async def test_an_answer_we_cannot_read_is_waited_for(post: Post) -> None:
    post.others.speaks_otherwise = True
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert statuses(await post.message())[-1] == ("queued", "recipient_service_away", 1)


@pytest.mark.parametrize("poisoned", ["{{ '\\x00' }}", "{{ '\\ud800' }}"])
async def test_words_that_cannot_be_kept_end_their_own_message_only(post: Post, poisoned: str) -> None:
    async with post.service.as_("communications_officer") as officer:
        template = {"name": "poison", "channels": ["email"], "subject": "x", "text": poisoned}
        assert (await officer.post("/v1/message-templates", json=template)).status_code == 201
        preview = await officer.post("/v1/message-templates/poison/previews", json={})
        assert preview.status_code == 422, preview.text
        poison = {"template": "poison", "recipient": {"kind": "customer", "id": str(CUSTOMER_ID)}}
        assert (await officer.post("/v1/messages", json=poison)).status_code == 201
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert (await post.message(template="poison"))["code"] == "template_error"
    assert (await post.message(template="reminder"))["status"] == "delivered"


async def test_a_fault_of_ours_is_tried_again_and_does_not_stop_the_job(post: Post) -> None:
    settings = settings_of(post.service.runtime)
    post.service.runtime.settings = settings.model_copy(update={"mail_from": "zahlungen@müller.example"})
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert statuses(await post.message())[-1] == ("queued", "not_prepared", 1)
    post.service.runtime.settings = settings
    post.service.now += timedelta(minutes=1)
    await post.send()
    assert (await post.message())["status"] == "delivered"


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
                "INSERT INTO message_event (message_id, version, status, code, attempt, at, by, by_name)"
                " SELECT id, n, 'queued', 'carrier_away', n / 2, now(), 'system', 'system'"
                " FROM message, generate_series(2, 1500) AS n"
            )
        )
        await session.execute(text("UPDATE message SET version = 1500, attempt = 749"))
    await post.send()
    shown = (await post.message())["status_history"]
    assert (len(shown), shown[-1]["status"], shown[-1]["version"]) == (1000, "delivered", 1503)
    async with post.service.as_("auditor") as auditor:
        history = (await auditor.get(f"/v1/messages/{message['id']}/history")).json()
        assert history[-1]["action"] == "delivered"
        body = await auditor.get(f"/v1/messages/{message['id']}/body", params={"rendering": 1_750})
        assert body.status_code == 404  # a number that a long outage reaches, and no rendering under it
