"""Rebates by stories: events in, rows, events and answers out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from council_common.contracts.rebates import (
    RebateEarnedV1,
    RebateExpectedV1,
    RebateMissedV1,
    RebateReversedV1,
    RebateVarianceFoundV1,
    RebateVarianceResolvedV1,
    RebateWithdrawnV1,
    UnagreedDeductionFoundV1,
)
from council_common.ids import new_id


async def test_expected_then_earned(story: Any) -> None:
    # £1,000 net, 20 % VAT, day 10: £12.00
    await story.happens(story.agreed(), story.received())
    [expected] = await story.rebates()
    assert (expected["status"], expected["expected_pence"], expected["target_on"]) == ("expected", 1_200, "2026-03-12")
    assert (expected["payment_id"], expected["rebate_pence"], expected["rate_percent"]) == (None, 0, None)
    [event] = await story.service.published(RebateExpectedV1)
    assert (event.expected_pence, event.target_on, event.version) == (1_200, date(2026, 3, 12), 1)

    paid = story.paid(day=10, deducted=1_200)
    await story.happens(paid)
    [earned] = await story.rebates()
    assert earned["id"] == expected["id"]
    assert earned["payment_id"] == str(paid.payment_id)
    assert (earned["rebate_net_pence"], earned["rebate_vat_pence"], earned["rebate_pence"]) == (1_000, 200, 1_200)
    assert (earned["elapsed_days"], earned["accelerated_days"], earned["rate_percent"]) == (10, 20, "1.00")
    assert earned["invoice_number"] == "INV-1"
    [event] = await story.service.published(RebateEarnedV1)
    assert (event.rebate_pence, event.expected_pence, event.deducted_pence, event.version) == (1_200, 1_200, 1_200, 2)
    assert await story.variances() == []


@pytest.mark.parametrize(
    ("clock_end", "pence", "steps"),
    [("run_date", 10_500, "9 days elapsed"), ("funds_arrival", 9_500, "11 days elapsed")],
)
async def test_by_the_day_sent_or_the_day_of_arrival_with_its_proof(
    story: Any, share: Any, clock_end: str, pence: int, steps: str
) -> None:
    # The same payment by the day it was sent, and by the day its funds arrive.
    whole = [share(1_000_000, vat_rate="0")]
    await story.happens(story.agreed(clock_end=clock_end), story.paid(day=9, deducted=pence, vat_shares=whole))
    [earned] = await story.rebates()
    async with story.service.as_("auditor") as client:
        answer = await client.get(f"/v1/rebates/{earned['id']}")
        history = (await client.get(f"/v1/rebates/{earned['id']}/history")).json()["items"]
    assert answer.headers["etag"] == '"1"'
    proved = answer.json()
    assert proved["rebate_pence"] == pence
    assert steps in " ".join(proved["proof"]["steps"])
    assert sum(part["rebate_net_pence"] for part in proved["proof"]["parts"]) == pence
    assert [(change["action"], change["by"]) for change in history] == [("earned", "erp")]


async def test_paid_after_the_term_is_missed(story: Any) -> None:
    await story.happens(story.agreed(), story.received(), story.paid(day=30))
    [missed] = await story.rebates()
    assert (missed["status"], missed["cause"], missed["rebate_pence"]) == ("missed", "late_payment", 0)
    [event] = await story.service.published(RebateMissedV1)
    assert (event.expected_pence, event.cause) == (1_200, "late_payment")


async def test_disputed_earns_nothing_and_has_its_cause(story: Any) -> None:
    await story.happens(story.agreed(), story.received(), story.paid(day=5, deducted=1_500, disputed=True))
    [missed] = await story.rebates()
    assert (missed["status"], missed["cause"], missed["rate_percent"]) == ("missed", "disputed", "0.00")
    [variance] = await story.variances()
    assert (variance["cause"], variance["difference_pence"]) == ("deducted_in_dispute", 1_500)


async def test_part_payments_earn_on_their_own_days(story: Any, share: Any) -> None:
    # VATA 1994 Sch 6 para 4: no prompt payment discount where payment is by instalments, so the VAT is flagged.
    first = story.paid(day=5, deducted=900, settled=False, vat_shares=[share(60_000)])
    second = story.paid(day=20, deducted=240, vat_shares=[share(40_000)])
    await story.happens(story.agreed(), story.received(), first)
    slice_, rest = sorted(await story.rebates(), key=lambda rebate: rebate["status"])
    assert (slice_["rebate_pence"], slice_["part_payment"]) == (900, True)
    assert (rest["status"], rest["expected_pence"], rest["base_pence"]) == ("expected", 480, 40_000)

    await story.happens(second)
    rows = {rebate["payment_id"]: rebate for rebate in await story.rebates()}
    assert len(rows) == 2
    assert rows[str(second.payment_id)]["rebate_pence"] == 240
    assert rows[str(second.payment_id)]["part_payment"] is True
    assert sum(row["expected_pence"] for row in rows.values()) == 1_200
    async with story.service.as_("auditor") as client:
        proof = (await client.get(f"/v1/rebates/{slice_['id']}")).json()["proof"]
    assert "instalments" in proof["steps"][-1]


async def test_returned_and_paid_again(story: Any) -> None:
    first, again = story.paid(day=10, deducted=1_200), story.paid(day=16, deducted=840)
    await story.happens(story.agreed(), story.received(), first, story.returned(first), story.returned(first))
    rows = {rebate["status"]: rebate for rebate in await story.rebates()}
    assert set(rows) == {"reversed", "expected"}
    assert rows["expected"]["expected_pence"] == 1_200
    [event] = await story.service.published(RebateReversedV1)
    assert (event.rebate_pence, event.returned_on) == (1_200, first.remitted_on + timedelta(days=3))

    await story.happens(again)
    rows = {rebate["status"]: rebate for rebate in await story.rebates()}
    assert set(rows) == {"reversed", "earned"}
    assert rows["earned"]["rebate_pence"] == 840
    assert sum(event.rebate_pence for event in await story.service.published(RebateEarnedV1)) - 1_200 == 840
    assert await story.variances() == []


async def test_a_returned_part_joins_what_is_still_open(story: Any, share: Any) -> None:
    part = story.paid(day=5, deducted=900, settled=False, vat_shares=[share(60_000)])
    await story.happens(story.agreed(), story.received(), part, story.returned(part))
    rows = {rebate["status"]: rebate for rebate in await story.rebates()}
    assert rows["expected"]["base_pence"] == 100_000
    assert rows["expected"]["expected_pence"] == 1_200


async def test_the_return_resolves_its_variance(story: Any) -> None:
    paid = story.paid(day=10, deducted=1_000)
    await story.happens(story.agreed(), paid)
    assert [variance["status"] for variance in await story.variances()] == ["open"]
    await story.happens(story.returned(paid))
    [variance] = await story.variances()
    assert (variance["status"], variance["resolution"]) == ("resolved", "payment_returned")
    resolved = await story.service.published(RebateVarianceResolvedV1)
    assert [event.resolution for event in resolved] == ["payment_returned"]


async def test_cancelled_invoice_is_withdrawn(story: Any) -> None:
    await story.happens(story.agreed(), story.received(), story.cancelled(), story.cancelled())
    [withdrawn] = await story.rebates()
    assert (withdrawn["status"], withdrawn["cause"]) == ("withdrawn", "entered_in_error")
    [event] = await story.service.published(RebateWithdrawnV1)
    assert (event.expected_pence, event.cause) == (1_200, "invoice_cancelled")


@pytest.mark.parametrize(
    ("deducted", "day", "collection", "cause", "difference"),
    [
        (1_200, 10, "deduct_at_source", None, 0),
        (1_000, 10, "deduct_at_source", "under_deducted", -200),
        (1_260, 10, "deduct_at_source", "over_deducted", 60),
        (0, 10, "deduct_at_source", "not_deducted", -1_200),
        (1_200, 31, "deduct_at_source", "deducted_after_term", 1_200),
        (0, 10, "claim", None, 0),
        (1_100, 10, "claim", "under_deducted", -100),
    ],
)
async def test_deducted_against_earned(
    *, story: Any, deducted: int, day: int, collection: str, cause: str | None, difference: int
) -> None:
    await story.happens(story.agreed(collection=collection), story.paid(day=day, deducted=deducted))
    variances = await story.variances()
    expected = [(cause, difference)] if cause else []
    assert [(variance["cause"], variance["difference_pence"]) for variance in variances] == expected
    found = await story.service.published(RebateVarianceFoundV1)
    assert [event.difference_pence for event in found] == ([difference] if cause else [])
    assert [variance["owner"] for variance in variances] == ["early_payment_coordinator"] * len(variances)
    [rebate] = await story.rebates()
    assert len(await story.rebates(has_variance=True)) == len(variances)
    assert rebate["variance_pence"] == difference


async def test_deducted_without_agreement_until_it_arrives(story: Any) -> None:
    # suppliers.v1 and invoices.v1 are different topics: the agreement may arrive after the payment.
    await story.happens(story.received(), story.paid(day=10, deducted=1_200))
    assert await story.rebates() == []
    assert [rebate["status"] for rebate in await story.rebates(status="outside")] == ["outside"]
    assert [variance["cause"] for variance in await story.variances(status="open")] == ["deducted_without_agreement"]
    assert [event.deducted_pence for event in await story.service.published(UnagreedDeductionFoundV1)] == [1_200]

    await story.happens(story.agreed())
    await story.applied()
    [earned] = await story.rebates()
    assert (earned["status"], earned["rebate_pence"], earned["variance_pence"]) == ("earned", 1_200, 0)
    assert len(await story.service.published(RebateEarnedV1)) == 1
    assert await story.variances(status="open") == []


async def test_historic_invoices_leave_no_row(story: Any) -> None:
    await story.happens(story.agreed(), story.received(historic=True, status="paid"), story.received(status="rejected"))
    assert await story.rebates() == []
    assert await story.rebates(status="outside") == []


async def test_a_late_agreement_covers_open_and_paid_invoices_once(story: Any) -> None:
    other = new_id()
    await story.happens(
        story.received(),
        story.received(invoice_id=other, number="INV-2"),
        story.paid(day=10, deducted=1_200),
        # Received the day before the agreement begins: stays outside.
        story.received(invoice_id=new_id(), number="INV-0", received_on=date(2026, 2, 28)),
        story.agreed(effective_from=date(2026, 3, 1)),
    )
    rows = {rebate["invoice_number"]: rebate for rebate in await story.rebates()}
    assert {number: row["status"] for number, row in rows.items()} == {"INV-1": "earned", "INV-2": "expected"}
    assert [rebate["invoice_number"] for rebate in await story.rebates(status="outside")] == ["INV-0"]
    before = len(await story.service.published())
    await story.happens(story.agreed(effective_from=date(2026, 3, 1)))
    assert len(await story.service.published()) == before


async def test_a_version_change_in_the_middle(story: Any) -> None:
    # The version in force on the day of receipt applies, whenever it is paid.
    later = new_id()
    await story.happens(
        story.agreed(),
        story.agreed(effective_from=date(2026, 3, 3), reference_rate_percent="2.00"),
        story.received(),
        story.received(invoice_id=later, number="INV-2", received_on=date(2026, 3, 3)),
        story.paid(day=10, deducted=1_200),
        story.paid(day=10, deducted=2_400, invoice_id=later, number="INV-2", received_on=date(2026, 3, 3)),
    )
    rows = {rebate["invoice_number"]: rebate for rebate in await story.rebates()}
    assert (rows["INV-1"]["agreement_version"], rows["INV-1"]["rebate_pence"]) == (1, 1_200)
    assert (rows["INV-2"]["agreement_version"], rows["INV-2"]["rebate_pence"]) == (2, 2_400)
    assert await story.variances() == []


async def test_terms_agreed_for_past_days_restate_what_was_earned(story: Any) -> None:
    await story.happens(story.agreed(), story.paid(day=10, deducted=1_200))
    await story.happens(story.agreed(effective_from=date(2026, 3, 1), reference_rate_percent="2.00"))
    [earned] = await story.rebates()
    assert (earned["agreement_version"], earned["rebate_pence"], earned["version"]) == (2, 2_400, 3)
    earned_events = await story.service.published(RebateEarnedV1)
    assert [(event.rebate_pence, event.version) for event in earned_events] == [(1_200, 1), (2_400, 2)]
    assert [variance["cause"] for variance in await story.variances(status="open")] == ["under_deducted"]


async def test_every_fact_about_a_rebate_has_its_own_version(story: Any) -> None:
    # Subscribers drop a version that is not newer than the last they saw.
    paid = story.paid(day=10, deducted=1_000)
    await story.happens(story.agreed(), paid)
    await story.happens(story.agreed(effective_from=date(2026, 3, 1), reference_rate_percent="2.00"))
    await story.happens(story.returned(paid))
    [rebate] = await story.rebates(status="reversed")
    events = [
        event for event in await story.service.published() if str(getattr(event, "rebate_id", "")) == rebate["id"]
    ]
    assert [(type(event).__name__, event.version) for event in events] == [
        ("RebateEarnedV1", 1),
        ("RebateVarianceFoundV1", 2),
        ("RebateEarnedV1", 3),
        ("RebateVarianceResolvedV1", 4),
        ("RebateVarianceFoundV1", 5),
        ("RebateReversedV1", 6),
        ("RebateVarianceResolvedV1", 7),
    ]
    assert rebate["version"] == 7


async def test_every_change_is_in_the_history(story: Any) -> None:
    # With an agreement or without.
    paid = story.paid(day=10, deducted=1_200)
    await story.happens(paid, story.returned(paid))
    [rebate] = await story.rebates(status="reversed")
    [variance] = await story.variances()
    async with story.service.as_("auditor") as client:
        of_rebate = (await client.get(f"/v1/rebates/{rebate['id']}/history")).json()["items"]
        of_variance = (await client.get(f"/v1/rebate-variances/{variance['id']}/history")).json()["items"]
    assert [(change["action"], change["by"], change["version"]) for change in of_rebate] == [
        ("outside", "erp", 1),
        ("variance found", "erp", 2),
        ("reversed", "bank", 3),
        ("variance resolved", "system", 4),
    ]
    assert [(change["action"], change["version"], change["reason"]) for change in of_variance] == [
        ("found", 1, "deducted_without_agreement"),
        ("resolved", 2, "payment_returned"),
    ]


async def test_what_was_earned_at_each_vat_rate_is_published(story: Any, share: Any) -> None:
    # £812.35 @20 %, £149.99 @5 %, £50.00 @0 %; day 13; a debit note prints them.
    shares = [share(81_235, 16_247), share(14_999, 750, vat_rate="5"), share(5_000, 0, vat_rate="0")]
    await story.happens(story.agreed(), story.received(vat_shares=shares), story.paid(day=13, vat_shares=shares))
    [event] = await story.service.published(RebateEarnedV1)
    assert event.parts is not None
    assert [(str(part.vat_rate), part.net_pence, part.vat_pence) for part in event.parts] == [
        ("20", 690, 138),
        ("5", 127, 6),
        ("0", 43, 0),
    ]
    assert (event.rebate_net_pence, event.rebate_vat_pence, event.rebate_pence) == (860, 144, 1_004)
    [earned] = await story.rebates()
    assert earned["rebate_parts"] == [part.model_dump(mode="json") for part in event.parts]


@pytest.mark.parametrize(
    ("agreed", "paid", "clock", "pence"),
    [
        ({}, {}, (date(2026, 3, 2), date(2026, 3, 11)), 10_500),
        # Sent on Wed 11 March, there on Fri 13.
        ({"clock_end": "funds_arrival"}, {}, (date(2026, 3, 2), date(2026, 3, 13)), 9_500),
        ({"clock_end": "funds_arrival"}, {"method": "bacs"}, (date(2026, 3, 2), date(2026, 3, 13)), 9_500),
        ({"clock_end": "funds_arrival"}, {"method": "faster_payment"}, (date(2026, 3, 2), date(2026, 3, 11)), 10_500),
        (
            {"clock_start": "valid_invoice"},
            {"valid_on": date(2026, 3, 6)},
            (date(2026, 3, 6), date(2026, 3, 11)),
            12_500,
        ),
        (
            {"clock_start": "valid_invoice"},
            {"valid_on": date(2026, 3, 16)},
            (date(2026, 3, 2), date(2026, 3, 11)),
            10_500,
        ),
    ],
)
async def test_the_agreed_clock_is_published(
    *, story: Any, share: Any, agreed: dict[str, Any], paid: dict[str, Any], clock: tuple[date, date], pence: int
) -> None:
    whole = [share(1_000_000, vat_rate="0")]
    await story.happens(story.agreed(**agreed), story.paid(day=9, deducted=pence, vat_shares=whole, **paid))
    [event] = await story.service.published(RebateEarnedV1)
    assert (event.clock_started_on, event.clock_ended_on, event.rebate_pence) == (*clock, pence)
    assert (event.clock_ended_on - event.clock_started_on).days == event.elapsed_days
    # What is stored proves it again, and other terms are applied to the same facts.
    await story.happens(story.agreed(**agreed, effective_from=date(2026, 2, 1), reference_rate_percent="2.00"))
    [again] = (await story.service.published(RebateEarnedV1))[1:]
    assert (again.clock_started_on, again.clock_ended_on, again.rebate_pence) == (*clock, 2 * pence)


async def test_a_cheque_whose_arrival_is_not_known_earns_nothing(story: Any) -> None:
    await story.happens(story.agreed(clock_end="funds_arrival"), story.paid(day=9, deducted=1_260, method="cheque"))
    [missed] = await story.rebates()
    assert (missed["status"], missed["cause"], missed["method"]) == ("missed", "arrival_unknown", "cheque")
    assert [event.cause for event in await story.service.published(RebateMissedV1)] == ["arrival_unknown"]
    assert [variance["cause"] for variance in await story.variances()] == ["deducted_without_arrival"]
    async with story.service.as_("auditor") as client:
        proof = (await client.get(f"/v1/rebates/{missed['id']}")).json()["proof"]
        period = {"from": "2026-03-01", "to": "2026-03-31"}
        total = (await client.get("/v1/programme-kpis", params=period)).json()["total"]
    assert proof["steps"][-1] == "Paid by cheque, and the day the funds arrive is not known: nothing is earned."
    # It is paid, but on no day that could be counted.
    assert (total["paid_count"], total["missed_count"], total["mean_days"]) == (1, 1, None)


async def test_an_agreement_that_ended_before_the_invoice_does_not_cover_it(story: Any) -> None:
    await story.happens(story.agreed(), story.received(), story.declined(date(2026, 3, 1)))
    assert await story.rebates() == []
    [event] = await story.service.published(RebateWithdrawnV1)
    assert (event.cause, event.expected_pence) == ("agreement_ended", 1_200)
