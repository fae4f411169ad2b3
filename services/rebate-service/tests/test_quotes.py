"""Quotes: the rule that earns, asked beforehand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from council_common.testing.harness import Harness
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rebate_service.agreements.rules import ClockEnd, ClockStart, Collection, RebateBase, VatMode
from rebate_service.agreements.schemas import TermsIn
from rebate_service.rebate_quotes.schemas import QuoteIn
from rebate_service.rebate_quotes.usecases import quote
from rebate_service.rebates.entry import shares_from
from rebate_service.rebates.rules import Payment, assess

TRAP = date(2026, 3, 2)


async def ask(service: Harness, **body: Any) -> dict[str, Any]:
    asked = {
        "received_on": "2026-03-02",
        "remitted_on": "2026-03-12",
        "vat_shares": [{"vat_rate": "20", "net_pence": 100_000, "vat_pence": 20_000}],
    } | body
    async with service.as_("service") as client:
        answer = await client.post("/v1/rebate-quotes", json=asked)
    assert answer.status_code == 200, answer.text
    quoted: dict[str, Any] = answer.json()
    return quoted


@pytest.mark.parametrize(
    ("vat_mode", "rebate", "pay"), [("reduce_net_and_vat", 1_200, 118_800), ("net_only", 1_000, 119_000)]
)
async def test_pay_1188_or_1190(service: Harness, vat_mode: str, rebate: int, pay: int) -> None:
    # payables.md §1.3 "Example"
    quoted = await ask(service, terms={"reference_rate_percent": "1.00", "vat_mode": vat_mode})
    assert (quoted["rebate_pence"], quoted["deduct_pence"], quoted["pay_pence"]) == (rebate, rebate, pay)
    assert (quoted["elapsed_days"], quoted["accelerated_days"], quoted["rate_percent"]) == (10, 20, "1.00")


async def test_ten_pounds_four_by_vat_rate(service: Harness) -> None:
    # payables.md §1.3 "Rounding": £812.35 @20 %, £149.99 @5 %, £50.00 @0 %; day 13, 0.85 %
    shares = [
        {"vat_rate": "20", "net_pence": 81_235, "vat_pence": 16_247},
        {"vat_rate": "5", "net_pence": 14_999, "vat_pence": 750},
        {"vat_rate": "0", "net_pence": 5_000, "vat_pence": 0},
    ]
    asked = {"remitted_on": "2026-03-15", "vat_shares": shares}
    by_rate = await ask(service, terms={"reference_rate_percent": "1.00"}, **asked)
    on_gross = await ask(service, terms={"reference_rate_percent": "1.00", "rebate_base": "gross"}, **asked)
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
    days = {each["elapsed_days"]: each for each in quoted["days"]}
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


async def test_many_at_once_and_bad_ones(service: Harness) -> None:
    one = {
        "terms": {"reference_rate_percent": "1.00"},
        "received_on": "2026-03-02",
        "remitted_on": "2026-03-12",
        "vat_shares": [{"vat_rate": "20", "net_pence": 100_000, "vat_pence": 20_000}],
    }
    async with service.as_("service") as client:
        answer = await client.post("/v1/rebate-quotes/batches", json={"quotes": [one, one | {"disputed": True}]})
        bad = [
            await client.post("/v1/rebate-quotes", json=one | changed)
            for changed in (
                {"terms": None},
                {"terms": {"reference_rate_percent": "1", "target_day": 30}},
                {"vat_shares": []},
                {"vat_shares": [{"vat_rate": "20", "net_pence": 0.5, "vat_pence": 0}]},
            )
        ]
    assert [(each["rebate_pence"], each["cause"]) for each in answer.json()["items"]] == [
        (1_200, None),
        (0, "disputed"),
    ]
    assert [each.status_code for each in bad] == [422] * 4


@st.composite
def asked_quotes(draw: st.DrawFn) -> QuoteIn:
    received_on = TRAP + timedelta(days=draw(st.integers(0, 400)))
    return QuoteIn(
        terms=TermsIn(
            reference_rate_percent=draw(st.decimals("0", "5", places=3)),
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
        disputed=draw(st.booleans()),
        vat_shares=[
            {
                "vat_rate": str(rate),
                "net_pence": draw(st.integers(-(10**6), 10**8)),
                "vat_pence": draw(st.integers(0, 10**6)),
            }
            for rate in draw(st.lists(st.sampled_from([Decimal(0), Decimal(5), Decimal(20)]), min_size=1, unique=True))
        ],
    )


@given(asked_quotes())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_quote_is_what_is_earned(asked: QuoteIn) -> None:
    assert asked.terms is not None
    terms = asked.terms.terms()
    quoted = quote(asked, terms)
    earned = assess(
        shares_from(asked.vat_shares),
        terms,
        received_on=asked.received_on,
        valid_on=asked.valid_on,
        payment=Payment(asked.remitted_on, asked.arrives_on, quoted.deduct_pence, asked.disputed),
    )
    assert (quoted.rebate_net_pence, quoted.rebate_vat_pence) == (earned.rebate_net_pence, earned.rebate_vat_pence)
    assert sum(part.rebate_net_pence + part.rebate_vat_pence for part in quoted.parts) == earned.rebate_pence
    # Whoever deducts what was quoted has no variance.
    assert earned.variance_pence == 0
