"""What must not leave any more: held, paid or cancelled debts, suppressed customers, payments that came back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from council_common.contracts.debts import (
    DunningNoticeIssuedV1,
    HoldReleasedV1,
    ReceivableEvent,
    ReceivableOverdueV1,
    ReceivableRaisedV1,
)
from council_common.contracts.notifications import MessageFailedV1
from council_common.events.contract import Event
from notification_factories import (
    a_credit_note,
    a_customer,
    a_hold,
    a_misplacement,
    a_notice,
    a_part_credit,
    a_part_payment,
    a_payment,
    a_return,
    a_reversal,
    a_settlement,
    a_supplier,
)
from notification_post import CUSTOMER_ID, SUPPLIER_ID, Post
from notification_service.channels.usecases import send_messages
from notification_service.main import SERVICE
from notification_service.settings import settings_of

HOME = "mrs.ames@home.example"


def log_of(message: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(entry["status"], entry["code"]) for entry in message["status_history"]]


@pytest.fixture(autouse=True)
def customer(request: pytest.FixtureRequest) -> None:
    fixture = "racing_post" if "racing_post" in request.fixturenames else "post"
    others = request.getfixturevalue(fixture).others
    others.customers[CUSTOMER_ID] = a_customer(HOME)
    others.suppliers[SUPPLIER_ID] = a_supplier(("ledger@ackroyd.example", "remittance"))


async def reported(post: Post) -> list[tuple[str, bool]]:
    return [(event.reason, event.was_sent) for event in await post.service.published(MessageFailedV1)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (a_hold, "on_hold"),
        (a_part_payment, "balance_changed"),
        (a_reversal, "balance_changed"),
        (a_misplacement, "balance_changed"),
        (a_part_credit, "balance_changed"),
        (a_settlement, "settled"),
        (a_credit_note, "receivable_cancelled"),
    ],
)
async def test_the_letter_that_was_issued_and_has_not_left_does_not_leave(
    post: Post, change: Callable[[DunningNoticeIssuedV1], Event], code: str
) -> None:
    """SI 2020/1311 reg 7: in breathing space the council stops contacting; council policy for the others."""
    stopped, other = a_notice(customer_id=CUSTOMER_ID), a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(stopped, other, change(stopped))
    await post.send()
    assert log_of(await post.message(about_id=str(stopped.notice_id))) == [("queued", None), ("cancelled", code)]
    assert (await post.message(about_id=str(other.notice_id)))["status"] == "delivered"
    assert [event.about_id for event in await post.service.published(MessageFailedV1)] == [stopped.notice_id]
    assert await reported(post) == [(code, False)]


async def test_a_hold_that_comes_while_the_letter_is_put_into_words_is_in_time(post: Post) -> None:
    held, other = a_notice(customer_id=CUSTOMER_ID), a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(held, other)

    async def place_a_hold() -> None:
        post.others.meanwhile = None
        await post.service.deliver(a_hold(held))

    post.others.meanwhile = place_a_hold
    await post.send()
    assert len(post.mail.taken()) == 1
    assert log_of(await post.message(about_id=str(held.notice_id))) == [
        ("queued", None),
        ("sending", None),
        ("queued", "not_started"),
        ("cancelled", "on_hold"),
    ]
    assert await reported(post) == [("on_hold", False)]


@pytest.mark.parametrize(
    ("answer", "last"),
    [
        ("451 4.3.0 Mailbox busy", [("queued", "address_busy"), ("cancelled", "on_hold")]),
        ("250 Taken", [("sent", None), ("delivered", "accepted_by_server")]),
    ],
)
async def test_a_hold_that_comes_while_the_server_has_the_letter(
    post: Post, answer: str, last: list[tuple[str, str | None]]
) -> None:
    notice = a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(notice)

    async def place_a_hold() -> None:
        post.mail.meanwhile = None
        await post.service.deliver(a_hold(notice))

    post.mail.meanwhile, post.mail.on_data = place_a_hold, lambda _: answer
    await post.send()
    post.mail.on_data = None
    post.service.now += timedelta(hours=1)
    await post.send()
    assert len(post.mail.raw) == 1
    assert log_of(await post.message())[-2:] == last


async def test_a_letter_that_waits_for_the_mail_server_is_stopped_by_a_hold(post: Post) -> None:
    settings = settings_of(post.service.runtime)
    notice = a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(notice)
    post.service.runtime.settings = settings.model_copy(update={"smtp_port": 1})
    await post.send()
    await post.service.deliver(a_hold(notice))
    post.service.runtime.settings = settings
    post.service.now += timedelta(hours=1)
    await post.send()
    assert not post.mail.raw
    assert log_of(await post.message())[-2:] == [("queued", "carrier_away"), ("cancelled", "on_hold")]


async def test_after_a_crash_a_held_letter_is_not_sent_again(racing_post: Post) -> None:
    post = racing_post
    notice = a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(notice)
    sending = asyncio.create_task(send_messages(post.service.runtime))
    post.mail.on_data = lambda _: sending.cancel() and None
    with pytest.raises(asyncio.CancelledError):
        await sending
    post.mail.on_data = None
    await post.service.deliver(a_hold(notice))
    assert (await post.message())["status"] == "sending"
    post.service.now += timedelta(seconds=61)
    await post.send()
    assert len(post.mail.raw) == 1
    assert log_of(await post.message())[-2:] == [("sending", None), ("cancelled", "on_hold")]
    # The server has it: it is not reported as never sent.
    assert await reported(post) == [("on_hold", True)]


async def test_a_held_letter_whose_connection_was_lost_may_have_left(post: Post) -> None:
    notice = a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(notice)

    async def place_a_hold() -> None:
        post.mail.meanwhile = None
        await post.service.deliver(a_hold(notice))

    post.mail.meanwhile, post.mail.on_data = place_a_hold, lambda server: server.transport.abort()
    await post.send()
    assert len(post.mail.raw) == 1
    assert log_of(await post.message())[-2:] == [("queued", "connection_lost"), ("cancelled", "on_hold")]
    assert await reported(post) == [("on_hold", True)]


@pytest.mark.parametrize("change", [a_hold, a_settlement, a_credit_note])
async def test_a_failed_letter_about_such_a_debt_is_not_sent_again(
    post: Post, change: Callable[[DunningNoticeIssuedV1], Event]
) -> None:
    post.mail.refusals[HOME] = "550 No such mailbox"
    notice = a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(notice)
    await post.send()
    await post.service.deliver(change(notice))
    message = await post.message()
    assert message["status"] == "failed"
    async with post.service.as_("communications_officer") as officer:
        again = await officer.post(f"/v1/messages/{message['id']}/resendings", json={"note": "rang them"})
    assert (again.status_code, again.json()["code"]) == (409, "message-withdrawn")


async def test_an_advice_of_money_that_came_back_while_it_was_leaving_is_not_tried_again(post: Post) -> None:
    paid = a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0)
    await post.service.deliver(paid)

    async def return_it() -> None:
        post.mail.meanwhile = None
        await post.service.deliver(a_return(paid))

    post.mail.meanwhile, post.mail.on_data = return_it, lambda _: "451 4.3.0 Mailbox busy"
    await post.send()
    assert log_of(await post.message())[-1] == ("cancelled", "payment_returned")
    assert await reported(post) == [("payment_returned", False)]


async def test_a_suppressed_customer_is_not_written_to_about_a_debt(post: Post) -> None:
    """Council policy: contact suppression blocks before the words are made."""
    post.others.customers[CUSTOMER_ID] = a_customer(HOME, suppressed=True)
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    message = await post.message()
    assert not post.mail.raw
    assert log_of(message)[-1] == ("cancelled", "suppressed")
    assert message["body_sha256"] is None
    assert await reported(post) == [("suppressed", False)]


async def test_a_customer_suppressed_while_the_letter_waits_is_not_written_to(post: Post) -> None:
    post.mail.refusals[HOME] = "451 4.3.0 Mailbox busy"
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    post.mail.refusals.clear()
    post.others.customers[CUSTOMER_ID] = a_customer(HOME, suppressed=True)
    post.service.now += timedelta(minutes=1)
    post.others.away = True
    await post.send()
    assert (await post.message())["code"] == "recipient_service_away"
    post.others.away = False
    post.service.now += timedelta(minutes=1)
    await post.send()
    assert not post.mail.raw
    assert log_of(await post.message())[-1] == ("cancelled", "suppressed")


def test_every_fact_that_changes_what_a_letter_says_is_heard() -> None:
    """What debt-service publishes about a debt withdraws what waits about it, or changes nothing that it says."""
    changes_nothing = {ReceivableRaisedV1, ReceivableOverdueV1, HoldReleasedV1}
    published = set(ReceivableEvent.__subclasses__())
    assert {event.type for event in published - changes_nothing} <= SERVICE.handlers.types.keys()
