from __future__ import annotations

from datetime import timedelta

import pytest
from council_common.contracts.notifications import MessageDeliveredV1, MessageFailedV1, MessageSentV1
from council_common.events.contract import Event
from notification_factories import a_missed_rebate, a_payment, a_return, a_supplier, an_earned_rebate
from notification_post import SUPPLIER_ID, Post
from notification_service.remittances.rules import PaymentOfTwoInvoices
from notification_stand_ins import words


@pytest.fixture(autouse=True)
def supplier(post: Post) -> None:
    post.others.suppliers[SUPPLIER_ID] = a_supplier(
        ("office@ackroyd.example", "general"), ("ledger@ackroyd.example", "remittance")
    )


async def test_a_payment_without_rebate_is_told_at_once(post: Post) -> None:
    paid = a_payment(supplier_id=SUPPLIER_ID, paid_pence=120_000, deducted_pence=0)
    await post.service.deliver(paid)
    await post.send()
    (mail,) = post.mail.to("ledger@ackroyd.example")
    text = words(mail)
    assert mail["Subject"] == "Payment to you of £1,200.00 on 11 March 2026"
    assert "Paid to: Ackroyd Paving Ltd" in text
    assert "Invoice number: INV-0001\n" in text
    assert "The money reaches your account on: 13 March 2026" in text
    assert "rebate" not in text
    message = await post.message(about_id=str(paid.payment_id))
    assert message["status"] == "delivered"
    assert message["reference"] == "INV-0001"
    told = await post.service.published(MessageSentV1, MessageDeliveredV1)
    assert [(type(event), event.version, event.about_id) for event in told] == [
        (MessageSentV1, 3, paid.payment_id),
        (MessageDeliveredV1, 4, paid.payment_id),
    ]


@pytest.mark.parametrize("rebate_first", [False, True])
async def test_the_rebate_is_shown_with_its_arithmetic_whichever_event_comes_first(
    post: Post, rebate_first: bool
) -> None:
    paid = a_payment(supplier_id=SUPPLIER_ID)
    events: list[Event] = [paid, an_earned_rebate(paid)]
    if rebate_first:
        events.reverse()
    await post.service.deliver(events[0])
    await post.release()
    await post.send()
    assert not post.mail.taken()
    await post.service.deliver(events[1])
    await post.send()
    (mail,) = post.mail.taken()
    text = words(mail)
    for line in (
        "Early payment rebate taken off: £12.00",
        "Paid now: £1,188.00",
        "Total paid: £1,188.00",
        "Invoice received: 1 March 2026",
        "Payment sent: 11 March 2026, 10 days later",
        "Days paid early: 20",
        "Rebate rate: 1.00%",
        "Worked out on: £1,000.00",
        "Rebate before VAT: £10.00",
        "VAT on the rebate: £2.00",
        "Rebate: £12.00",
    ):
        assert line in text.splitlines()
    assert "difference" not in text


async def test_a_deduction_that_differs_from_the_rebate_is_owned_up_to(post: Post) -> None:
    paid = a_payment(supplier_id=SUPPLIER_ID, paid_pence=118_700, deducted_pence=1_300)
    await post.service.deliver(paid, an_earned_rebate(paid))
    await post.send()
    assert "the difference of £1.00" in words(post.mail.taken()[0])


async def test_a_deduction_that_was_not_earned_is_owned_up_to(post: Post) -> None:
    paid = a_payment(supplier_id=SUPPLIER_ID)
    await post.service.deliver(paid, a_missed_rebate(paid))
    await post.send()
    assert "did not earn a rebate" in words(post.mail.taken()[0])


async def test_without_the_rebate_the_advice_goes_after_fifteen_minutes(post: Post) -> None:
    paid = a_payment(supplier_id=SUPPLIER_ID)
    await post.service.deliver(paid)
    post.service.now += timedelta(minutes=14)
    await post.release()
    await post.send()
    assert not post.mail.taken()
    post.service.now += timedelta(minutes=1)
    await post.release()
    await post.send()
    assert "How it was worked out is not ready yet" in words(post.mail.taken()[0])
    await post.service.deliver(an_earned_rebate(paid))
    await post.send()
    assert len(post.mail.taken()) == 1


async def test_a_payment_that_came_back_is_not_told(post: Post) -> None:
    waiting = a_payment(supplier_id=SUPPLIER_ID)
    written = a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0)
    gone = a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0)
    await post.service.deliver(gone)
    await post.send()
    await post.service.deliver(waiting, written, a_return(waiting), a_return(written), a_return(gone))
    await post.service.deliver(an_earned_rebate(waiting))
    post.service.now += timedelta(hours=1)
    await post.release()
    await post.send()
    assert len(post.mail.taken()) == 1
    assert (await post.message(about_id=str(gone.payment_id)))["status"] == "delivered"
    cancelled = await post.message(about_id=str(written.payment_id))
    assert (cancelled["status"], cancelled["code"]) == ("cancelled", "payment_returned")
    assert [event.reason for event in await post.service.published(MessageFailedV1)] == ["cancelled"]
    assert not await post.messages(about_id=str(waiting.payment_id))


async def test_events_that_come_again_make_no_second_message(post: Post) -> None:
    paid = a_payment(supplier_id=SUPPLIER_ID)
    rebate = an_earned_rebate(paid)
    await post.service.deliver(paid, rebate)
    await post.service.deliver(rebate)
    await post.service.deliver(paid, paid)
    await post.release()
    await post.send()
    assert len(post.mail.taken()) == 1


async def test_a_batch_of_two_thousand_is_a_handful_of_statements(post: Post) -> None:
    payments = [a_payment(supplier_id=SUPPLIER_ID) for _ in range(1_000)]
    await post.service.deliver(*payments, *(an_earned_rebate(paid) for paid in payments))
    async with post.service.as_("auditor") as auditor:
        totals = (await auditor.get("/v1/messages/totals")).json()
    assert totals == {
        "items": [{"template": "remittance_advice", "channel": "email", "status": "queued", "count": 1_000}],
        "count": 1_000,
    }


async def test_one_payment_of_two_invoices_is_refused_loudly(post: Post) -> None:
    paid = a_payment(supplier_id=SUPPLIER_ID)
    await post.service.deliver(paid)
    with pytest.raises(PaymentOfTwoInvoices):
        await post.service.deliver(a_payment(supplier_id=SUPPLIER_ID, payment_id=paid.payment_id))
