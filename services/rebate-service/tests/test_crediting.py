"""Credit notes before and after payment, invoices of zero, and rebates whose term is over (payables.md 1.4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from council_common.contracts.invoices import CreditNoteApplicationReversedV1, CreditNoteAppliedV1, InvoiceSettledV1
from council_common.contracts.rebates import RebateEarnedV1, RebateExpectedV1, RebateLostV1, RebateWithdrawnV1
from council_common.ids import new_id
from council_common.testing.harness import NOW
from hypothesis import given
from hypothesis import strategies as st
from rebate_service.rebates.crediting import parted
from rebate_service.rebates.jobs import JOBS


def applied(story: Any, share: Any, net_pence: int = 20_000, **changed: Any) -> CreditNoteAppliedV1:
    """£200.00 and its VAT off the story's invoice of £1,200.00, before its payment."""
    shares = changed.pop("vat_shares", [share(net_pence)])
    pence = sum(one.net_pence + one.vat_pence for one in shares)
    return CreditNoteAppliedV1(
        **{
            "version": 5,
            "occurred_at": NOW,
            "by": "manager",
            "invoice_id": story.invoice_id,
            "supplier_id": story.supplier_id,
            "credit_note_application_id": new_id(),
            "credit_note_id": new_id(),
            "applied_on": NOW.date(),
            "applied_pence": pence,
            "vat_shares": shares,
            "after_payment": False,
            "due_back_pence": 0,
            "deducted_pence": 0,
            "outstanding_pence": 120_000 - pence,
            "settled": False,
        }
        | changed
    )


async def test_before_payment_the_rebate_is_on_the_netted_amount(story: Any, share: Any) -> None:
    await story.happens(story.agreed(), story.received(), applied(story, share))
    [rebate] = await story.rebates()
    assert (rebate["status"], rebate["base_pence"], rebate["expected_pence"]) == ("expected", 80_000, 960)
    assert [event.expected_pence for event in await story.service.published(RebateExpectedV1)] == [1_200, 960]
    paid = story.paid(day=10, deducted=960, gross_pence=120_000, paid_pence=95_040, vat_shares=[share(80_000)])
    await story.happens(paid)
    [rebate] = await story.rebates()
    assert (rebate["status"], rebate["rebate_pence"], rebate["variance_pence"]) == ("earned", 960, 0)


def taken_back(story: Any, share: Any, net_pence: int = 20_000) -> CreditNoteApplicationReversedV1:
    """A credit note of £200.00 and its VAT off the invoice again."""
    return CreditNoteApplicationReversedV1(
        version=9,
        occurred_at=NOW,
        by="manager",
        invoice_id=story.invoice_id,
        supplier_id=story.supplier_id,
        credit_note_application_id=new_id(),
        credit_note_id=new_id(),
        reversed_on=NOW.date(),
        reversed_pence=net_pence * 6 // 5,
        vat_shares=[share(net_pence)],
        outstanding_pence=120_000,
        reason="wrong_invoice",
    )


async def test_a_credit_taken_back_is_expected_to_earn_again(story: Any, share: Any) -> None:
    await story.happens(story.agreed(), story.received(), applied(story, share), taken_back(story, share))
    [rebate] = await story.rebates()
    assert (rebate["status"], rebate["base_pence"], rebate["expected_pence"]) == ("expected", 100_000, 1_200)
    whole = applied(story, share, 100_000, settled=True)
    await story.happens(whole)
    assert [one["status"] for one in await story.rebates()] == ["withdrawn"]
    await story.happens(taken_back(story, share, 100_000))
    [rebate] = await story.rebates()
    assert (rebate["status"], rebate["expected_pence"]) == ("expected", 1_200)


async def test_a_credit_taken_back_after_payment_leaves_what_was_earned(story: Any, share: Any) -> None:
    """£960 were paid as the whole; £240 are owed again, and may earn on their own days."""
    paid = story.paid(day=10, deducted=960, gross_pence=120_000, paid_pence=95_040, vat_shares=[share(80_000)])
    await story.happens(story.agreed(), story.received(), applied(story, share), paid, taken_back(story, share))
    earned, expected = sorted(await story.rebates(), key=lambda one: one["status"])
    assert (earned["status"], earned["rebate_pence"], earned["base_pence"]) == ("earned", 960, 80_000)
    assert (expected["status"], expected["base_pence"], expected["expected_pence"]) == ("expected", 20_000, 240)


async def test_after_payment_the_rebate_is_reversed_pro_rata(story: Any, share: Any) -> None:
    """£12.00 was deducted and earned; of £240 that go back £2.40 are the rebate's."""
    note = applied(story, share, after_payment=True, due_back_pence=23_760, deducted_pence=240, settled=True)
    await story.happens(story.agreed(), story.received(), story.paid(day=10, deducted=1_200), note)
    [rebate] = await story.rebates()
    assert (rebate["status"], rebate["base_pence"], rebate["rebate_pence"], rebate["deducted_pence"]) == (
        "earned", 80_000, 960, 960,
    )  # fmt: skip
    assert await story.variances() == []
    earned = await story.service.published(RebateEarnedV1)
    assert [(event.rebate_pence, event.version) for event in earned] == [(1_200, 2), (960, 3)]
    async with story.service.as_("auditor") as auditor:
        history = (await auditor.get(f"/v1/rebates/{rebate['id']}/history")).json()["items"]
    assert history[-1]["reason"] == "credited"


async def test_part_payments_bear_a_credit_by_what_they_settle(story: Any, share: Any) -> None:
    """£300 and £900 of £1,200, paid on days 5 and 10: £200 and its VAT go off them as £50 and £150."""
    first = story.paid(day=5, gross_pence=120_000, paid_pence=30_000, settled=False, vat_shares=[share(25_000)])
    second = story.paid(day=10, gross_pence=120_000, paid_pence=90_000, vat_shares=[share(75_000)])
    note = applied(story, share, after_payment=True, due_back_pence=24_000, settled=True)
    await story.happens(story.agreed(collection="claim"), story.received(), first, second, note)
    rebates = sorted(await story.rebates(), key=lambda rebate: rebate["elapsed_days"])
    assert [rebate["base_pence"] for rebate in rebates] == [20_000, 60_000]
    assert [rebate["rebate_pence"] for rebate in rebates] == [300, 720]


async def test_a_credit_of_the_whole_leaves_nothing_expected(story: Any, share: Any) -> None:
    await story.happens(story.agreed(), story.received(), applied(story, share, 100_000, settled=True))
    [rebate] = await story.rebates()
    assert (rebate["status"], rebate["cause"]) == ("withdrawn", "credited")
    [event] = await story.service.published(RebateWithdrawnV1)
    assert event.cause == "credited"


async def test_a_credit_note_itself_is_expected_to_earn_nothing(story: Any, share: Any) -> None:
    note = story.received(invoice_id=new_id(), number="CN-1", kind="credit_note", vat_shares=[share(-50_000)])
    await story.happens(story.agreed(), note)
    assert await story.rebates() == []


async def test_an_invoice_of_zero_is_expected_to_earn_nothing_once_it_settles(story: Any, share: Any) -> None:
    of_zero = story.received(vat_shares=[share(0)])
    settled = InvoiceSettledV1(
        version=3,
        occurred_at=NOW,
        by="manager",
        invoice_id=story.invoice_id,
        supplier_id=story.supplier_id,
        settled_on=NOW.date(),
    )
    await story.happens(story.agreed(), of_zero, settled)
    [rebate] = await story.rebates()
    assert (rebate["status"], rebate["cause"]) == ("withdrawn", "nothing_to_pay")


async def test_what_is_expected_is_lost_when_its_term_is_over_and_missed_when_paid_at_last(story: Any) -> None:
    """Received on 2 March, a term of 30 days: on 1 April nothing can be earned any more."""
    await story.happens(story.agreed(), story.received())
    for day, status in ((date(2026, 3, 31), "expected"), (date(2026, 4, 1), "lost")):
        story.service.now = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        await story.service.run_job(JOBS[0])
        [rebate] = await story.rebates()
        assert (rebate["status"], rebate["expected_pence"]) == (status, 1_200), day
    assert rebate["cause"] == "term_over"
    [event] = await story.service.published(RebateLostV1)
    assert (event.expected_pence, str(event.lost_on)) == (1_200, "2026-04-01")
    async with story.service.as_("auditor") as auditor:
        proof = (await auditor.get(f"/v1/rebates/{rebate['id']}")).json()["proof"]
    assert "nothing can be earned" in proof["steps"][-1]
    await story.happens(story.paid(day=40))
    [rebate] = await story.rebates()
    assert (rebate["status"], rebate["cause"]) == ("missed", "late_payment")


async def test_terms_agreed_for_past_days_find_what_is_lost(story: Any) -> None:
    story.service.now = NOW + timedelta(days=40)
    await story.happens(story.received(), story.agreed())
    [rebate] = await story.rebates()
    assert (rebate["status"], rebate["cause"]) == ("lost", "term_over")


@given(st.integers(-10_000, 10_000), st.lists(st.integers(0, 10_000), min_size=1))
def test_parts_sum_to_the_whole(pence: int, sizes: list[int]) -> None:
    assert sum(parted(pence, sizes)) == (pence if sum(sizes) else 0)
