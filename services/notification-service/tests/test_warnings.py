"""Everyone whom supplier-service names is warned of a bank-account change, by a message of their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from council_common.contracts.notifications import MessageDeliveredV1
from notification_factories import a_bank_change, a_payment, a_supplier, a_warned_contact
from notification_post import SUPPLIER_ID, Post
from notification_stand_ins import words


@pytest.fixture(autouse=True)
def supplier(post: Post) -> None:
    # What is on the record now is what a fraudster has put there.
    post.others.suppliers[SUPPLIER_ID] = a_supplier(("x@evil.example", "remittance"))


async def sent_to(post: Post) -> dict[str, dict[str, Any]]:
    """The messages by the address that they were put into words for."""
    found = {}
    async with post.service.as_("auditor") as auditor:
        for message in await post.messages():
            body = (await auditor.get(f"/v1/messages/{message['id']}/body")).json()
            (address,) = body["sent_to"]
            found[address] = message
    return found


async def test_the_old_contacts_are_warned_each_by_a_mail_of_their_own(post: Post) -> None:
    """Council policy against payment diversion fraud: notice to old contacts, whomever the record names by then."""
    change = a_bank_change(supplier_id=SUPPLIER_ID)
    post.others.warning_contacts[change.change_id] = [
        a_warned_contact("ledger@ackroyd.example"),
        a_warned_contact("boss@ackroyd.example"),
        a_warned_contact("gone@ackroyd.example", removed_on="2026-03-09"),
        a_warned_contact("Ledger@ackroyd.example", removed_on="2026-01-09"),
    ]
    post.mail.refusals["gone@ackroyd.example"] = "550 No such mailbox"
    await post.service.deliver(change)
    await post.service.deliver(change)
    await post.send()
    assert sorted(to for _, to in post.mail.envelopes) == [("boss@ackroyd.example",), ("ledger@ackroyd.example",)]
    for mail in post.mail.taken():
        # One mailbox does not learn the addresses of the others.
        assert len(mail["To"].addresses) == 1
        assert words(mail).startswith("Dear Ackroyd Paving Ltd,")
        assert not any(character.isdigit() for character in words(mail).replace("11 March 2026", ""))
    assert {address: (message["status"], message["code"]) for address, message in (await sent_to(post)).items()} == {
        "ledger@ackroyd.example": ("delivered", "accepted_by_server"),
        "boss@ackroyd.example": ("delivered", "accepted_by_server"),
        "gone@ackroyd.example": ("failed", "address_refused"),
    }
    delivered = await post.service.published(MessageDeliveredV1)
    assert [event.about_id for event in delivered] == [change.change_id] * 2
    assert len({mail["Message-ID"] for mail in post.mail.taken()}) == 2


async def test_an_address_that_is_busy_is_tried_again_though_another_took_it(post: Post) -> None:
    change = a_bank_change(supplier_id=SUPPLIER_ID)
    contacts = [a_warned_contact("a@ackroyd.example"), a_warned_contact("b@ackroyd.example")]
    post.others.warning_contacts[change.change_id] = contacts
    post.mail.refusals["b@ackroyd.example"] = "451 4.7.1 Greylisted, try again later"
    await post.service.deliver(change)
    await post.send()
    assert [to for _, to in post.mail.envelopes] == [("a@ackroyd.example",)]
    assert (await sent_to(post))["b@ackroyd.example"]["code"] == "address_busy"
    post.mail.refusals.clear()
    post.service.now += timedelta(minutes=1)
    await post.send()
    assert [to for _, to in post.mail.envelopes] == [("a@ackroyd.example",), ("b@ackroyd.example",)]


async def test_a_failed_warning_is_sent_again_to_its_own_address(post: Post) -> None:
    change = a_bank_change(supplier_id=SUPPLIER_ID)
    contacts = [a_warned_contact("a@ackroyd.example"), a_warned_contact("b@ackroyd.example")]
    post.others.warning_contacts[change.change_id] = contacts
    post.mail.refusals["a@ackroyd.example"] = "550 No such mailbox"
    await post.service.deliver(change)
    await post.send()
    failed = (await sent_to(post))["a@ackroyd.example"]
    post.mail.refusals.clear()
    post.others.warning_contacts[change.change_id] = [a_warned_contact("x@evil.example")]
    async with post.service.as_("communications_officer") as officer:
        assert (
            await officer.post(f"/v1/messages/{failed['id']}/resendings", json={"note": "rang them"})
        ).status_code == 201
    await post.send()
    assert sorted(to for _, to in post.mail.envelopes) == [("a@ackroyd.example",), ("b@ackroyd.example",)]
    assert len(await post.messages()) == 2


async def test_our_own_faults_end_no_warning(post: Post) -> None:
    """A wrong CLIENT_SECRET or scope on a Friday night: on Monday the old contacts are warned all the same."""
    change = a_bank_change(supplier_id=SUPPLIER_ID)
    post.others.warning_contacts[change.change_id] = [a_warned_contact("a@ackroyd.example")]
    post.others.contacts_refused = 403
    await post.service.deliver(change)
    for _ in range(20):
        await post.send()
        post.service.now += timedelta(hours=3)
    message = await post.message()
    assert (message["status"], message["code"], message["attempt"]) == ("queued", "contacts_not_read", 20)
    # No other message to a supplier waits for it.
    await post.service.deliver(a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0))
    await post.send()
    assert [to for _, to in post.mail.envelopes] == [("x@evil.example",)]
    post.others.contacts_refused = None
    post.service.now += timedelta(hours=1)
    await post.send()
    assert post.mail.envelopes[-1][1] == ("a@ackroyd.example",)


async def test_an_address_that_cannot_be_written_to_is_seen_and_stops_no_other(post: Post) -> None:
    change = a_bank_change(supplier_id=SUPPLIER_ID)
    contacts = [a_warned_contact("not an address"), a_warned_contact("b@ackroyd.example")]
    post.others.warning_contacts[change.change_id] = contacts
    await post.service.deliver(change)
    await post.send()
    assert [to for _, to in post.mail.envelopes] == [("b@ackroyd.example",)]
    assert {(message["status"], message["code"]) for message in await post.messages()} == {
        ("failed", "address_invalid"),
        ("delivered", "accepted_by_server"),
    }


async def test_no_contact_to_warn_is_a_failure_that_is_seen(post: Post) -> None:
    change = a_bank_change(supplier_id=SUPPLIER_ID)
    post.others.warning_contacts[change.change_id] = []
    await post.service.deliver(change)
    await post.send()
    message = await post.message(about_id=str(change.change_id))
    assert (message["status"], message["code"]) == ("failed", "no_address")


@pytest.mark.parametrize(("away", "code"), [(True, "recipient_service_away"), (False, "contacts_unknown")])
async def test_who_is_to_be_warned_is_asked_again_until_it_is_known(post: Post, away: bool, code: str) -> None:
    change = a_bank_change(supplier_id=SUPPLIER_ID)
    post.others.away = away
    await post.service.deliver(change)
    await post.send()
    message = await post.message()
    assert (message["status"], message["code"]) == ("queued", code)
    assert not post.mail.raw
    post.others.away = False
    post.others.warning_contacts[change.change_id] = [a_warned_contact("a@ackroyd.example")]
    post.service.now += timedelta(minutes=1)
    await post.send()
    assert [to for _, to in post.mail.envelopes] == [("a@ackroyd.example",)]
