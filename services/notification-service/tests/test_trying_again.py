"""What a mail server or a service that is away may do to us, and when a message is tried again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from council_common.contracts.notifications import MessageFailedV1
from notification_factories import a_customer, a_notice, a_payment, a_supplier
from notification_post import CUSTOMER_ID, HOME, SUPPLIER_ID, Post, statuses
from notification_service.channels.usecases import send_messages
from notification_service.settings import settings_of
from notification_stand_ins import words


@pytest.fixture(autouse=True)
def customer(request: pytest.FixtureRequest) -> None:
    fixture = "racing_post" if "racing_post" in request.fixturenames else "post"
    request.getfixturevalue(fixture).others.customers[CUSTOMER_ID] = a_customer(HOME)


async def _send_and_hang_up(post: Post) -> None:
    """A notice whose mail server hangs up when it has the whole of it, before it answers."""

    def hang_up(server: Any) -> str | None:
        server.transport.abort()
        return None

    post.mail.on_data = hang_up
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    post.mail.on_data = None


async def test_a_notice_that_may_have_left_is_not_reported_as_never_sent(post: Post) -> None:
    await _send_and_hang_up(post)
    post.mail.refusals[HOME] = "550 No such mailbox"
    post.service.now += timedelta(minutes=1)
    await post.send()
    message = await post.message()
    assert len(post.mail.raw) == 1
    assert statuses(message)[-1] == ("failed", "address_refused", 2)
    (failed,) = await post.service.published(MessageFailedV1)
    assert failed.was_sent is True
    # Its level stands, nothing is written in its place: so it may be sent again.
    post.mail.refusals.clear()
    async with post.service.as_("communications_officer") as officer:
        assert (
            await officer.post(f"/v1/messages/{message['id']}/resendings", json={"note": "rang them"})
        ).status_code == 201


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
    messages = [await post.message(about_id=queued["about"]["id"]) for queued in await post.messages(status="queued")]
    assert len(messages) == 20
    (asking,) = [message for message in messages if message["code"] == "carrier_away"]
    assert asking["status_history"][-1]["explanation"] == "SMTPConnectError"
    # One message finds out once a minute; the log of the others does not grow.
    assert [len(message["status_history"]) for message in messages if message != asking] == [1] * 19
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
    assert sum(message["attempt"] for message in await post.messages()) == 5 + (20 * 60 - 75) // 60


async def test_a_connection_more_than_the_server_takes_stops_no_message(post: Post) -> None:
    post.mail.takes_connections = 1
    await post.service.deliver(*(a_notice(customer_id=CUSTOMER_ID) for _ in range(20)))
    await post.send()
    assert len(post.mail.taken()) == 20
    assert {message["attempt"] for message in await post.messages()} == {1}


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


async def test_an_answer_we_cannot_read_is_waited_for(post: Post) -> None:
    post.others.speaks_otherwise = True
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert statuses(await post.message())[-1] == ("queued", "recipient_service_away", 1)


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
