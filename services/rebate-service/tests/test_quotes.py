"""Quotes: the rule that earns, applied beforehand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from council_common.testing.harness import Harness
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rebate_service.agreements.rules import ClockEnd, ClockStart, Collection, RebateBase, VatMode
from rebate_service.rebate_quotes.schemas import QuotedTermsIn, QuoteIn
from rebate_service.rebate_quotes.usecases import quote
from rebate_service.rebates.record import amounts_from
from rebate_service.rebates.rules import PaymentFacts, assess

TRAP = date(2026, 3, 2)


async def ask(service: Harness, **changed: Any) -> dict[str, Any]:
    payment = {
        "received_on": "2026-03-02",
        "remitted_on": "2026-03-12",
        "vat_shares": [{"vat_rate": "20", "net_pence": 100_000, "vat_pence": 20_000}],
    } | changed
    async with service.as_("service") as client:
        answer = await client.post("/v1/rebate-quotes", json=payment)
    assert answer.status_code == 200, answer.text
    quoted: dict[str, Any] = answer.json()
    return quoted


async def test_a_payment_before_its_invoice_earns_nothing_but_a_refusal(service: Harness) -> None:
    payment = {
        "terms": {"reference_rate_percent": "1.00"},
        "received_on": "2026-03-02",
        "remitted_on": "2026-03-01",
        "vat_shares": [{"vat_rate": "20", "net_pence": 100_000, "vat_pence": 20_000}],
    }
    early = payment | {"remitted_on": "2026-03-05", "arrives_on": "2026-03-04"}
    async with service.as_("service") as client:
        answer = await client.post("/v1/rebate-quotes", json=payment)
        many = await client.post("/v1/rebate-quotes/bulk", json={"items": [payment, early]})
    assert (answer.status_code, answer.json()["code"]) == (422, "dates-out-of-order")
    [error] = answer.json()["errors"]
    assert error == {"field": "remitted_on", "problem": "is before received_on", "expected": "2026-03-02 or later"}
    verdicts = [(item["code"], item["errors"][0]["field"]) for item in many.json()["items"]]
    assert verdicts == [("dates-out-of-order", "remitted_on"), ("dates-out-of-order", "arrives_on")]


@pytest.mark.parametrize(
    ("vat_mode", "rebate", "pay"), [("reduce_net_and_vat", 1_200, 118_800), ("net_only", 1_000, 119_000)]
)
async def test_pay_1188_or_1190(service: Harness, vat_mode: str, rebate: int, pay: int) -> None:
    # £1,000.00 net and 20 % VAT on day 10 of 1.00 %: £10.00 off the net, and £2.00 off the VAT where it is reduced.
    quoted = await ask(service, terms={"reference_rate_percent": "1.00", "vat_mode": vat_mode})
    assert (quoted["rebate_pence"], quoted["deduct_pence"], quoted["pay_pence"]) == (rebate, rebate, pay)
    assert (quoted["elapsed_days"], quoted["accelerated_days"], quoted["rate_percent"]) == (10, 20, "1.00")
    # Recover VAT of £198.00, or £200.00 as before.
    [part] = quoted["parts"]
    assert part["vat_pence"] - part["rebate_vat_pence"] == (19_800 if vat_mode == "reduce_net_and_vat" else 20_000)


async def test_ten_pounds_four_by_vat_rate(service: Harness) -> None:
    # £812.35 @20 %, £149.99 @5 %, £50.00 @0 %; day 13, 0.85 %
    shares = [
        {"vat_rate": "20", "net_pence": 81_235, "vat_pence": 16_247},
        {"vat_rate": "5", "net_pence": 14_999, "vat_pence": 750},
        {"vat_rate": "0", "net_pence": 5_000, "vat_pence": 0},
    ]
    payment = {"remitted_on": "2026-03-15", "vat_shares": shares}
    by_rate = await ask(service, terms={"reference_rate_percent": "1.00"}, **payment)
    on_gross = await ask(service, terms={"reference_rate_percent": "1.00", "rebate_base": "gross"}, **payment)
    assert (by_rate["rate_percent"], by_rate["rebate_pence"], on_gross["rebate_pence"]) == ("0.85", 1_004, 1_005)
    assert [(part["rebate_net_pence"], part["rebate_vat_pence"]) for part in by_rate["parts"]] == [
        (690, 138),
        (127, 6),
        (43, 0),
    ]
    assert by_rate["steps"] == [
        "Day 0 is 2 March 2026, the day it was received.",
        "The clock ends on 15 March 2026, the day the payment file was sent: 13 days elapsed.",
        "Term 30 days - 13 elapsed = 17 days accelerated.",
        "1 % ÷ (30 - 10) days × 17 days = 1 % × 17/20 = 0.85 %.",
        "At 20 % VAT: £812.35 net × 0.85 % = £6.90, half up; VAT 20 % of that = £1.38.",
        "At 5 % VAT: £149.99 net × 0.85 % = £1.27, half up; VAT 5 % of that = £0.06.",
        "At 0 % VAT: £50.00 net × 0.85 % = £0.43, half up; no VAT.",
        "Rebate £8.60 net + £1.44 VAT = £10.04.",
    ]


async def test_day_by_day_is_the_published_table(service: Harness) -> None:
    # NHS Wales: £100 invoice, day 5 £1.25, day 10 £1.00, day 20 £0.50
    quoted = await ask(
        service,
        terms={"reference_rate_percent": "1.00"},
        vat_shares=[{"vat_rate": "0", "net_pence": 10_000, "vat_pence": 0}],
        day_by_day=True,
    )
    days = {day["elapsed_days"]: day for day in quoted["days"]}
    assert len(days) == 31
    assert {day: days[day]["rebate_pence"] for day in (0, 5, 10, 20, 29, 30)} == {
        0: 150,
        5: 125,
        10: 100,
        20: 50,
        29: 5,
        30: 0,
    }
    assert (days[10]["on"], days[10]["pay_pence"]) == ("2026-03-12", 9_900)


async def test_of_a_supplier_by_the_version_of_the_day_of_receipt(story: Any) -> None:
    await story.happens(story.agreed(), story.agreed(effective_from=date(2026, 3, 3), collection="claim"))
    supplier = str(story.supplier_id)
    first = await ask(story.service, supplier_id=supplier)
    second = await ask(story.service, supplier_id=supplier, received_on="2026-03-03")
    before = await ask(story.service, supplier_id=supplier, received_on="2025-12-31")
    assert (first["agreement_version"], first["deduct_pence"]) == (1, 1_200)
    assert (second["agreement_version"], second["rebate_pence"], second["deduct_pence"]) == (2, 1_260, 0)
    assert second["pay_pence"] == 120_000
    assert (before["cause"], before["rebate_pence"], before["pay_pence"]) == ("no_agreement", 0, 120_000)


@pytest.mark.parametrize(
    ("payment", "step"),
    [
        (
            {"remitted_on": "2026-03-14"},
            "The clock ends on 18 March 2026, the day the funds arrive (not given; by Bacs two working days after "
            "input): 16 days elapsed.",
        ),
        (
            {"remitted_on": "2026-03-11", "method": "faster_payment"},
            "The clock ends on 11 March 2026, the day the funds arrive (a Faster Payment: the day it was sent)"
            ": 9 days elapsed.",
        ),
        (
            {"remitted_on": "2026-03-11", "method": "cheque"},
            "Paid by cheque, and the day the funds arrive is not known: nothing is earned.",
        ),
        (
            {"remitted_on": "2026-03-11", "method": "cheque", "arrives_on": "2026-03-13"},
            "The clock ends on 13 March 2026, the day the funds arrive: 11 days elapsed.",
        ),
    ],
)
async def test_the_day_of_arrival_is_explained(service: Harness, payment: dict[str, Any], step: str) -> None:
    quoted = await ask(service, terms={"reference_rate_percent": "1.00", "clock_end": "funds_arrival"}, **payment)
    assert quoted["steps"][1] == step
    assert quoted["clock_started_on"] == "2026-03-02"
    assert quoted["cause"] == ("arrival_unknown" if "not known" in step else None)


async def test_paid_before_it_was_valid_is_explained(service: Harness) -> None:
    terms = {"reference_rate_percent": "1.00", "clock_start": "valid_invoice"}
    quoted = await ask(service, terms=terms, remitted_on="2026-03-11", valid_on="2026-03-16")
    assert (quoted["elapsed_days"], quoted["clock_started_on"], quoted["clock_ended_on"]) == (
        9,
        "2026-03-02",
        "2026-03-11",
    )
    assert quoted["steps"][0] == (
        "Day 0 is 2 March 2026, the day it was received: it was paid before it was a valid invoice, 16 March 2026."
    )


async def test_a_rate_no_decimal_holds_is_shown_as_its_fraction(service: Harness) -> None:
    # £11,500,000.00 × 1/23 of 1 % is £5,000.00; by the six places shown it would be £4,999.97.
    quoted = await ask(
        service,
        terms={"reference_rate_percent": "1.00", "target_day": 7},
        remitted_on="2026-03-31",
        vat_shares=[{"vat_rate": "0", "net_pence": 1_150_000_000, "vat_pence": 0}],
    )
    assert quoted["rebate_pence"] == 500_000
    assert quoted["steps"][-2:] == [
        "At 0 % VAT: £11,500,000.00 net × 1/23 of 1 % = £5,000.00, half up; no VAT.",
        "Rebate £5,000.00 net + £0.00 VAT = £5,000.00.",
    ]


async def test_amounts_at_one_vat_rate_count_as_one(story: Any, share: Any) -> None:
    # Rounded rate by rate: £0.50 twice earns what £1.00 does, quoted and paid alike.
    halves = [share(50), share(50)]
    await story.happens(story.agreed(), story.paid(day=10, deducted=1, vat_shares=halves))
    halves_asked = [{"vat_rate": "20", "net_pence": 50, "vat_pence": 10}] * 2
    quoted = await ask(story.service, supplier_id=str(story.supplier_id), vat_shares=halves_asked)
    [earned] = await story.rebates()
    assert (quoted["rebate_pence"], earned["rebate_pence"], earned["variance_pence"]) == (1, 1, 0)
    assert [(part["net_pence"], part["vat_pence"]) for part in quoted["parts"]] == [(100, 20)]


async def test_many_at_once_and_bad_ones(service: Harness) -> None:
    one = {
        "terms": {"reference_rate_percent": "1.00"},
        "received_on": "2026-03-02",
        "remitted_on": "2026-03-12",
        "vat_shares": [{"vat_rate": "20", "net_pence": 100_000, "vat_pence": 20_000}],
    }
    unsound = one | {"terms": {"reference_rate_percent": "4.00", "target_day": 29}}
    async with service.as_("service") as client:
        answer = await client.post("/v1/rebate-quotes/bulk", json={"items": [one, one | {"disputed": True}]})
        bad = [
            (await client.post("/v1/rebate-quotes", json=one | changed), field)
            for changed, field in (
                ({"terms": None}, "terms"),
                ({"supplier_id": "0195a1b2-0000-7000-8000-000000000001"}, "terms"),
                ({"terms": {"reference_rate_percent": "1", "target_day": 30}}, "terms.target_day"),
                (unsound, "terms.reference_rate_percent"),
                ({"vat_shares": []}, "vat_shares"),
                ({"vat_shares": [{"vat_rate": "20", "net_pence": 0.5, "vat_pence": 0}]}, "vat_shares.0.net_pence"),
                ({"received_on": "9999-12-31"}, "received_on"),
                ({"remitted_on": "9999-12-31"}, "remitted_on"),
            )
        ]
        wrong = [one, unsound, one | {"day_by_day": True}, one | {"vat_shares": []}, one]
        mixed = (await client.post("/v1/rebate-quotes/bulk", json={"items": wrong})).json()
    assert [(item["quote"]["rebate_pence"], item["quote"]["cause"]) for item in answer.json()["items"]] == [
        (1_200, None),
        (0, "disputed"),
    ]
    # A bad one never stops the good ones. 500 quotes of 365 days each would keep other requests waiting.
    assert (mixed["received"], mixed["done"], mixed["refused"]) == (5, 2, 3)
    assert [(item["index"], item["outcome"], item["quote"] is None) for item in mixed["items"]] == [
        (0, "done", False),
        (1, "refused", True),
        (2, "refused", True),
        (3, "refused", True),
        (4, "done", False),
    ]
    assert [[error["field"] for error in item["errors"]] for item in mixed["items"]] == [
        [],
        ["terms.reference_rate_percent"],
        ["day_by_day"],
        ["vat_shares"],
        [],
    ]
    for refused, field in bad:
        assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (422, [field])


@st.composite
def quoted_payments(draw: st.DrawFn) -> QuoteIn:
    received_on = TRAP + timedelta(days=draw(st.integers(0, 400)))
    return QuoteIn(
        terms=QuotedTermsIn(
            reference_rate_percent=draw(st.decimals("0.001", "5", places=3)).to_eng_string(),
            target_day=draw(st.integers(0, 20)),
            term_days=draw(st.integers(30, 60)),
            clock_start=draw(st.sampled_from(ClockStart)),
            clock_end=draw(st.sampled_from(ClockEnd)),
            rebate_base=draw(st.sampled_from(RebateBase)),
            vat_mode=draw(st.sampled_from(VatMode)),
            collection=draw(st.sampled_from(Collection)),
        ),
        received_on=received_on,
        valid_on=draw(st.none() | st.just(received_on + timedelta(days=3))),
        remitted_on=received_on + timedelta(days=draw(st.integers(-2, 70))),
        method=draw(st.none() | st.sampled_from(["bacs", "faster_payment", "cheque"])),
        disputed=draw(st.booleans()),
        vat_shares=[
            {
                "vat_rate": str(rate),
                "net_pence": draw(st.integers(-(10**6), 10**8)),
                "vat_pence": draw(st.integers(0, 10**6)),
            }
            for rate in draw(st.lists(st.sampled_from([Decimal(0), Decimal(5), Decimal(20)]), min_size=1, max_size=5))
        ],
    )


@given(quoted_payments())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_deducting_what_was_quoted_leaves_no_variance(payment: QuoteIn) -> None:
    assert payment.terms is not None
    terms = payment.terms.terms()
    quoted = quote(payment, terms)
    earned = assess(
        amounts_from(payment.vat_shares),
        terms,
        received_on=payment.received_on,
        valid_on=payment.valid_on,
        payment=PaymentFacts(
            remitted_on=payment.remitted_on,
            arrives_on=payment.arrives_on,
            deducted_pence=quoted.deduct_pence,
            disputed=payment.disputed,
            method=payment.method,
        ),
    )
    assert earned.variance_pence == 0
    assert sum(part.rebate_net_pence for part in quoted.parts) == quoted.rebate_net_pence == earned.rebate_net_pence
    assert sum(part.rebate_vat_pence for part in quoted.parts) == quoted.rebate_vat_pence == earned.rebate_vat_pence
    # The published formula without the service's code: nothing at the end of the term or later, else a share of the
    # base by the days, to within half a penny for each amount that is rounded.
    if quoted.cause is None and quoted.clock_started_on and quoted.clock_ended_on:
        early = terms.term_days - max(0, (quoted.clock_ended_on - quoted.clock_started_on).days)
        daily = Fraction(terms.reference_rate_percent) / 100 / (terms.term_days - terms.target_day)
        exact = daily * early * quoted.base_pence
        on_gross = terms.rebate_base is RebateBase.GROSS
        taken, roundings = (quoted.rebate_pence, 1) if on_gross else (quoted.rebate_net_pence, len(quoted.parts))
        assert abs(taken - exact) <= Fraction(1, 2) * roundings
        assert early > 0
    else:
        assert quoted.rebate_pence == 0
