from __future__ import annotations

from datetime import date, timedelta
from typing import Any, get_args

import pytest
from council_common.contracts.invoices import PaymentMethod
from council_common.contracts.notifications import MessageDeliveredV1, MessageFailedV1, MessageSentV1
from council_common.contracts.rebates import RebatePart
from council_common.events.contract import Event
from notification_factories import (
    a_missed_rebate,
    a_payment,
    a_return,
    a_supplier,
    an_earned_rebate,
    an_unagreed_deduction,
)
from notification_post import SUPPLIER_ID, Post
from notification_service.remittances.rules import METHODS, PaymentOfTwoInvoices
from notification_stand_ins import words


@pytest.fixture(autouse=True)
def supplier(post: Post) -> None:
    post.others.suppliers[SUPPLIER_ID] = a_supplier(
        ("office@ackroyd.example", "general"), ("ledger@ackroyd.example", "remittance")
    )


async def test_a_payment_without_rebate_is_advised_at_once(post: Post) -> None:
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
    published = await post.service.published(MessageSentV1, MessageDeliveredV1)
    assert [(type(event), event.version, event.about_id) for event in published] == [
        (MessageSentV1, 3, paid.payment_id),
        (MessageDeliveredV1, 4, paid.payment_id),
    ]


async def test_an_advice_says_all_that_the_bank_statement_shows(post: Post) -> None:
    """£1,200.00, of which £240.00 were credited, paid with £1,000.00: £40.00 are beyond what was owed."""
    paid = a_payment(supplier_id=SUPPLIER_ID, paid_pence=96_000, deducted_pence=0)
    more = {"gross_pence": 120_000, "credited_pence": 24_000, "overpaid_pence": 4_000}
    await post.service.deliver(paid.model_copy(update=more))
    await post.send()
    (mail,) = post.mail.to("ledger@ackroyd.example")
    assert mail["Subject"] == "Payment to you of £1,000.00 on 11 March 2026"
    for line in (
        "Invoice amount, with VAT: £1,200.00",
        "Credit notes taken off: £240.00",
        "Paid now: £960.00",
        "Paid beyond what we owe: £40.00",
        "Total paid: £1,000.00",
    ):
        assert line in words(mail)


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
        "Payment sent: 11 March 2026",
        "Days counted: 10",
        "Days paid early: 20",
        "Rebate rate: 1.00%",
        "Worked out on: £1,000.00",
        "Rebate before VAT: £10.00",
        "VAT on the rebate: £2.00",
        "Rebate: £12.00",
    ):
        assert line in text.splitlines()
    assert "looking into" not in text


@pytest.mark.parametrize(
    ("clock", "lines"),
    [
        (
            {"elapsed_days": 9, "accelerated_days": 21, "rate_percent": "1.05", "rebate_net_pence": 10_500},
            ["Days counted from 2 March 2026 to 11 March 2026: 9", "Rebate rate: 1.05%", "Rebate: £105.00"],
        ),
        (
            {"elapsed_days": 11, "accelerated_days": 19, "rate_percent": "0.95", "rebate_net_pence": 9_500}
            | {"clock_ended_on": date(2026, 3, 13)},
            ["Days counted from 2 March 2026 to 13 March 2026: 11", "Rebate rate: 0.95%", "Rebate: £95.00"],
        ),
    ],
)
async def test_days_are_counted_by_the_agreed_clock(post: Post, clock: dict[str, Any], lines: list[str]) -> None:
    """The day of sending is not the day of arrival: £10,000 received 2 March, sent 11 March, arrives 13 March."""
    rebate_pence = clock["rebate_net_pence"]
    paid = a_payment(
        supplier_id=SUPPLIER_ID,
        paid_pence=1_000_000 - rebate_pence,
        deducted_pence=rebate_pence,
        received_on=date(2026, 3, 2),
    )
    days = {"clock_started_on": date(2026, 3, 2), "clock_ended_on": date(2026, 3, 11)}
    sums = {"base_pence": 1_000_000, "rebate_vat_pence": 0, "rebate_pence": rebate_pence}
    await post.service.deliver(paid, an_earned_rebate(paid, **days | sums | clock))
    await post.send()
    text = words(post.mail.taken()[0]).splitlines()
    assert {"Invoice received: 2 March 2026", "Payment sent: 11 March 2026", *lines} <= set(text)


async def test_the_rebate_is_shown_at_each_vat_rate(post: Post) -> None:
    """VAT Regulations 1995 reg 38, at the rates invoiced: lines at 20 %, 5 % and 0 %; day 13, 0.85 %."""
    paid = a_payment(supplier_id=SUPPLIER_ID, paid_pence=117_227, deducted_pence=1_004)
    parts = [("20", 690, 138), ("5", 127, 6), ("0", 43, 0)]
    rebate = an_earned_rebate(
        paid,
        elapsed_days=13,
        accelerated_days=17,
        rate_percent="0.85",
        base_pence=101_234,
        rebate_net_pence=860,
        rebate_vat_pence=144,
        rebate_pence=1_004,
        parts=[RebatePart(vat_rate=rate, net_pence=net, vat_pence=vat) for rate, net, vat in parts],  # type: ignore[arg-type]
    )
    await post.service.deliver(paid, rebate)
    await post.send()
    text = words(post.mail.taken()[0])
    assert (
        "Worked out on: £1,012.34\n"
        "At 20% VAT: rebate £6.90, VAT on it £1.38\n"
        "At 5% VAT: rebate £1.27, VAT on it £0.06\n"
        "At 0% VAT: rebate £0.43, VAT on it £0.00\n"
        "Rebate before VAT: £8.60\n"
        "VAT on the rebate: £1.44\n"
        "Rebate: £10.04\n"
    ) in text
    assert "looking into" not in text


@pytest.mark.parametrize(
    ("method", "words_of_it"),
    [
        ("bacs", "bank transfer (Bacs)"),
        ("faster_payment", "bank transfer (Faster Payments)"),
        ("cheque", "cheque"),
        ("card", "card"),
        ("direct_debit", "Direct Debit"),
    ],
)
async def test_the_advice_names_method_reference_and_order(post: Post, method: str, words_of_it: str) -> None:
    """A supplier finds the payment by the reference on its bank statement, so that both have to be the same."""
    details = {"method": method, "payment_reference": "RUN 42", "purchase_order_number": "PO0000077"}
    await post.service.deliver(a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0, **details))
    await post.send()
    text = words(post.mail.taken()[0])
    assert f"Method: {words_of_it}\nReference on your bank statement: RUN 42\n" in text
    assert "Invoice number: INV-0001\nPurchase order number: PO0000077\n" in text


async def test_what_is_not_known_of_a_payment_is_not_made_up(post: Post) -> None:
    await post.service.deliver(a_payment(supplier_id=SUPPLIER_ID, deducted_pence=0))
    await post.send()
    text = words(post.mail.taken()[0])
    for absent in ("Method", "Reference on", "Purchase order", "None"):
        assert absent not in text


@pytest.mark.parametrize(
    ("deducted_pence", "sentence"),
    [
        (1_300, "We took off £13.00, which is £1.00 too much."),
        (940, "We took off £9.40, which is £2.60 too little."),
    ],
)
async def test_a_deduction_that_differs_from_the_rebate_is_owned_up_to(
    post: Post, deducted_pence: int, sentence: str
) -> None:
    paid = a_payment(supplier_id=SUPPLIER_ID, paid_pence=120_000 - deducted_pence, deducted_pence=deducted_pence)
    await post.service.deliver(paid, an_earned_rebate(paid))
    await post.send()
    text = words(post.mail.taken()[0])
    assert sentence in text
    assert "-£" not in text


@pytest.mark.parametrize("first", [True, False])
async def test_a_deduction_without_an_agreement_is_owned_up_to(post: Post, first: bool) -> None:
    paid = a_payment(supplier_id=SUPPLIER_ID)
    events: list[Event] = [paid, an_unagreed_deduction(paid)]
    for event in events if first else reversed(events):
        await post.service.deliver(event)
    await post.send()
    text = words(post.mail.taken()[0])
    assert "We took off £12.00, but our records show no early payment agreement with you" in text
    assert "Under the early payment agreement" not in text


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


async def test_a_payment_that_came_back_is_not_advised(post: Post) -> None:
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
    failed = await post.service.published(MessageFailedV1)
    assert [(event.reason, event.was_sent) for event in failed] == [("payment_returned", False)]
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


def test_every_method_of_a_payment_has_its_words() -> None:
    assert set(METHODS) == set(get_args(PaymentMethod))
