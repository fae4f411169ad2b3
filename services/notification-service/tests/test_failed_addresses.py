"""An address that failed is known as an address, until an officer says with a reason that it works again (case R6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from council_common.contracts.notifications import AddressConfirmedV1
from council_common.ids import new_id
from notification_factories import a_bank_change, a_customer, a_notice, a_payment, a_supplier, a_warned_contact
from notification_post import CUSTOMER_ID, HOME, SUPPLIER_ID, Post, statuses

NO_POST: dict[str, Any] = {"lines": (), "postcode": None}
GONE = "550 5.1.1 No such mailbox"


@pytest.fixture(autouse=True)
def customer(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer(HOME, **NO_POST)


async def failed(post: Post, **filters: Any) -> list[dict[str, Any]]:
    async with post.service.as_("communications_officer") as officer:
        return list((await officer.get("/v1/failed-addresses", params=filters)).json()["items"])


async def a_refused_notice(post: Post) -> None:
    post.mail.refusals[HOME] = GONE
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    post.mail.refusals.clear()


async def test_r6_the_second_debt_is_not_written_to_the_address_that_failed(post: Post) -> None:
    await a_refused_notice(post)
    second = a_notice(customer_id=CUSTOMER_ID)
    await post.service.deliver(second)
    await post.send()
    assert not post.mail.raw
    message = await post.message(about_id=str(second.notice_id))
    assert statuses(message)[-1] == ("failed", "address_refused", 1)
    assert message["status_history"][-1]["explanation"].startswith("it failed before")


async def test_r6_an_officer_confirms_the_address_with_a_reason(post: Post) -> None:
    await a_refused_notice(post)
    (known,) = await failed(post, recipient_id=str(CUSTOMER_ID), status="failed")
    assert (known["address"], known["code"]) == (HOME, "address_refused")
    path = f"/v1/failed-addresses/{known['id']}/confirmations"
    async with post.service.as_("communications_officer") as officer:
        assert (await officer.post(path, json={})).status_code == 422
        confirmed = await officer.post(path, json={"note": "rang: the mailbox was full and is empty"})
        assert (confirmed.status_code, confirmed.json()["status"]) == (201, "confirmed")
        again = await officer.post(path, json={"note": "and again"})
        assert (again.status_code, again.json()["code"]) == (409, "illegal-move")
        history = (await officer.get(f"/v1/failed-addresses/{known['id']}/history")).json()["items"]
    assert [(line["action"], line["reason"], line["detail"].get("note")) for line in history] == [
        ("failed", "address_refused", None),
        ("confirmed", None, "rang: the mailbox was full and is empty"),
    ]
    (event,) = await post.service.published(AddressConfirmedV1)
    assert (event.recipient_kind, event.recipient_id, event.channel, event.version) == (
        "customer",
        CUSTOMER_ID,
        "email",
        2,
    )
    assert HOME not in event.model_dump_json()
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert len(post.mail.to(HOME)) == 1


async def test_an_address_is_known_whoever_it_was_tried_for(post: Post) -> None:
    other = new_id()
    post.others.customers[other] = a_customer(HOME.upper(), **NO_POST)
    await a_refused_notice(post)
    await post.service.deliver(a_notice(customer_id=other))
    await post.send()
    assert not post.mail.raw
    assert await failed(post, recipient_id=str(other)) == []


async def test_one_address_of_two_people_is_confirmed_for_both(post: Post) -> None:
    other = new_id()
    post.others.customers[other] = a_customer(HOME, **NO_POST)
    post.mail.refusals[HOME] = GONE
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID), a_notice(customer_id=other))
    await post.send()
    one, two = await failed(post)
    async with post.service.as_("communications_officer") as officer:
        path = f"/v1/failed-addresses/{one['id']}/confirmations"
        assert (await officer.post(path, json={"note": "works"})).status_code == 201
    assert await failed(post, status="failed") == []
    events = await post.service.published(AddressConfirmedV1)
    assert {event.recipient_id for event in events} == {CUSTOMER_ID, other}
    assert two["version"] == 1


async def test_an_address_that_fails_again_counts_as_failed_again(post: Post) -> None:
    await a_refused_notice(post)
    (known,) = await failed(post)
    async with post.service.as_("communications_officer") as officer:
        await officer.post(f"/v1/failed-addresses/{known['id']}/confirmations", json={"note": "works"})
    await a_refused_notice(post)
    (known,) = await failed(post)
    assert (known["status"], known["version"]) == ("failed", 3)


async def test_a_mailbox_that_stays_busy_has_failed(post: Post) -> None:
    post.mail.refusals[HOME] = "452 4.2.2 Mailbox full"
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    for _ in range(8):
        await post.send()
        post.service.now += timedelta(hours=4)
    assert [known["code"] for known in await failed(post)] == ["address_busy"]


async def test_a_customer_whose_address_failed_gets_the_next_notice_by_post(post: Post) -> None:
    await a_refused_notice(post)
    post.others.customers[CUSTOMER_ID] = a_customer(HOME)
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    await post.send()
    assert post.mail.envelopes[0][1] == ("print-room@council.example",)


async def test_a_supplier_is_written_to_at_its_next_contact(post: Post) -> None:
    post.others.suppliers[SUPPLIER_ID] = a_supplier((HOME, "remittance"), ("all@ackroyd.example", "general"))
    post.mail.refusals[HOME] = GONE
    await post.service.deliver(a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0))
    await post.send()
    await post.service.deliver(a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0))
    await post.send()
    assert [to for _, to in post.mail.envelopes] == [("all@ackroyd.example",)]


async def test_a_warning_is_tried_at_an_address_that_failed(post: Post) -> None:
    """Council policy against payment diversion: nobody keeps an old contact in the dark."""
    await a_refused_notice(post)
    change = a_bank_change(supplier_id=SUPPLIER_ID)
    post.others.suppliers[SUPPLIER_ID] = a_supplier((HOME, "remittance"))
    post.others.warning_contacts[change.change_id] = [a_warned_contact(HOME)]
    await post.service.deliver(change)
    await post.send()
    assert len(post.mail.to(HOME)) == 1


async def test_who_may_confirm(post: Post) -> None:
    await a_refused_notice(post)
    (known,) = await failed(post)
    async with post.service.as_("auditor") as auditor:
        answer = await auditor.post(f"/v1/failed-addresses/{known['id']}/confirmations", json={"note": "works"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("ap_manager", 404),
        ("receivables_coordinator", 404),
        ("debt_recovery_officer", 404),
        ("communications_officer", 404),
        # They send messages, and do not say that debtors can be dunned again.
        ("payments_assistant", 403),
        ("early_payment_coordinator", 403),
        ("auditor", 403),
    ],
)
async def test_who_may_say_that_an_address_works_again(post: Post, role: str, status: int) -> None:
    async with post.service.as_(role) as officer:
        answer = await officer.post(f"/v1/failed-addresses/{new_id()}/confirmations", json={"note": "rang them"})
    assert answer.status_code == status
