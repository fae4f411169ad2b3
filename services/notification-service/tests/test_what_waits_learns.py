"""What waits learns of every fact that changes it: balance, hold, address, channel, days (cases R3, R5, R7)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from notification_factories import a_customer, a_notice, a_reversal
from notification_post import CUSTOMER_ID, HOME, Post, statuses
from notification_service.settings import settings_of
from notification_stand_ins import a_debt, words

BUSY = "451 4.3.0 Mailbox busy"
NEW = "new@home.example"
NO_POST: dict[str, Any] = {"lines": (), "postcode": None}


@pytest.fixture(autouse=True)
def customer(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer(HOME)


async def _later(post: Post) -> None:
    """The server is itself again, and the next attempt is due."""
    post.mail.refusals.clear()
    post.service.now += timedelta(minutes=1)
    await post.send()


async def test_r3_a_letter_that_waits_is_withdrawn_when_a_payment_comes_back(post: Post) -> None:
    notice = a_notice(customer_id=CUSTOMER_ID)
    post.mail.refusals[HOME] = BUSY
    await post.service.deliver(notice)
    await post.send()
    await post.service.deliver(a_reversal(notice))
    await _later(post)
    assert not post.mail.raw
    assert statuses(await post.message())[-1] == ("cancelled", "balance_changed", 1)


@pytest.mark.parametrize(
    ("debt", "code"),
    [
        ({"outstanding_pence": 8_550}, "balance_changed"),
        ({"outstanding_pence": 1_000}, "balance_changed"),
        ({"outstanding_pence": 0, "status": "settled"}, "settled"),
        ({"outstanding_pence": 0, "status": "cancelled"}, "receivable_cancelled"),
        ({"on_hold": True}, "on_hold"),
    ],
)
@pytest.mark.parametrize("waited", [False, True])
async def test_whatever_changed_a_debt_is_seen_when_the_letter_is_about_to_leave(
    post: Post, debt: dict[str, Any], code: str, waited: bool
) -> None:
    """Also by a fact whose event has not come yet, or that has none."""
    notice = a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(notice)
    if waited:
        post.mail.refusals[HOME] = BUSY
        await post.send()
    post.others.receivables[notice.receivable_id] = a_debt(**debt)
    await _later(post)
    assert not post.mail.raw
    assert statuses(await post.message())[-1][:2] == ("cancelled", code)


async def test_a_hold_on_all_of_a_customer_is_seen_when_the_letter_is_about_to_leave(post: Post) -> None:
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    post.others.customers[CUSTOMER_ID] = a_customer(HOME) | {"on_hold": True}
    await post.send()
    assert not post.mail.raw
    assert statuses(await post.message())[-1][:2] == ("cancelled", "on_hold")


async def test_r5_a_letter_that_waits_goes_to_the_corrected_address(post: Post) -> None:
    post.mail.refusals[HOME] = BUSY
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    post.others.customers[CUSTOMER_ID] = a_customer(NEW, name="Mrs E. Amis")
    await _later(post)
    (mail,) = post.mail.taken()
    assert post.mail.envelopes[0][1] == (NEW,)
    assert "Dear Mrs E. Amis" in words(mail)
    message = await post.message()
    async with post.service.as_("auditor") as auditor:
        body = (await auditor.get(f"/v1/messages/{message['id']}/body")).json()
        before = (await auditor.get(f"/v1/messages/{message['id']}/body", params={"rendering": 1})).json()
    assert (body["sent_to"], before["sent_to"]) == ([NEW], [HOME])
    assert message["body_sha256"] == body["body_sha256"] != before["body_sha256"]


async def test_what_the_server_may_have_is_repeated_to_the_letter(post: Post) -> None:
    """Two letters that differ would be two demands; the same Message-ID and words are one."""
    post.mail.on_data = lambda server: server.transport.abort()
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    post.mail.on_data = None
    post.others.customers[CUSTOMER_ID] = a_customer(NEW, name="Mrs E. Amis")
    await _later(post)
    first, second = post.mail.to(HOME)
    assert (first["Message-ID"], words(first)) == (second["Message-ID"], words(second))
    assert not post.mail.to(NEW)


@pytest.mark.parametrize(
    "record",
    [
        a_customer(HOME) | {"preferred_channel": "letter"},
        a_customer(None) | {"preferred_channel": "letter"},
        a_customer(None),
    ],
)
async def test_r7_a_customer_who_is_moved_to_letters_gets_a_letter(post: Post, record: dict[str, Any]) -> None:
    settings = settings_of(post.service.runtime)
    post.service.runtime.settings = settings.model_copy(update={"smtp_port": 1})
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    post.others.customers[CUSTOMER_ID] = record
    post.service.runtime.settings = settings
    await _later(post)
    assert post.mail.envelopes[0][1] == ("print-room@council.example",)
    message = await post.message()
    assert (message["channel"], message["status"], message["code"]) == ("letter", "delivered", "handed_to_print_room")


async def test_r7_a_letter_needs_an_address_too(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer(HOME, **NO_POST) | {"preferred_channel": "letter"}
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert len(post.mail.to(HOME)) == 1


async def test_a_letter_dated_back_says_the_days_that_are_true_when_it_is_sent(post: Post) -> None:
    notice = a_notice(
        customer_id=CUSTOMER_ID,
        template="final_notice",
        issued_on=date(2026, 3, 5),
        due_on=date(2026, 3, 3),
        days_overdue=2,
    )
    post.mail.refusals[HOME] = BUSY
    await post.service.deliver(notice)
    await post.send()
    post.service.now += timedelta(days=1)
    await _later(post)
    assert "It was due on: 3 March 2026, which is 9 days ago" in words(post.mail.taken()[0])


async def test_words_that_are_the_same_are_kept_once(post: Post) -> None:
    post.mail.refusals[HOME] = BUSY
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    await _later(post)
    message = await post.message()
    async with post.service.as_("auditor") as auditor:
        assert (await auditor.get(f"/v1/messages/{message['id']}/body")).json()["rendering"] == 1
        assert (await auditor.get(f"/v1/messages/{message['id']}/body", params={"rendering": 2})).status_code == 404


async def test_a_debt_that_cannot_be_read_stops_its_own_letter_only(post: Post) -> None:
    broken, other = a_notice(customer_id=CUSTOMER_ID), a_notice(customer_id=CUSTOMER_ID)
    post.others.missing.add(broken.receivable_id)
    await post.service.deliver(broken, other)
    await post.send()
    assert len(post.mail.raw) == 1
    waiting = await post.message(about_id=str(broken.notice_id))
    assert (waiting["status"], waiting["code"]) == ("queued", "receivable_unreadable")
