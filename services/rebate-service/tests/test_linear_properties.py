"""The linear rebate on generated invoices, held to the rule in exact fractions."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from rebate_service.agreements.rules import ClockEnd, ClockStart, Collection, RebateBase, Terms, VatMode
from rebate_service.rebates.linear import AmountAtVatRate, ExactRate, accelerated_days, rebate_parts
from rebate_service.rebates.rules import PaymentFacts, assess, joined, left_over

RECEIVED = date(2026, 3, 2)


def sums(amounts: list[AmountAtVatRate], of: Terms, accelerated: int) -> tuple[int, int]:
    parts = rebate_parts(amounts, of, accelerated)
    return sum(part.net_pence for part in parts), sum(part.vat_pence for part in parts)


def to_the_penny(exact: Fraction) -> int:
    """Half up, away from zero."""
    pence = int(abs(exact) + Fraction(1, 2))
    return pence if exact >= 0 else -pence


class RuleInFractions:
    """The rule once more in fractions, with none of the service's code: base × rate ÷ (term − target day) × days."""

    def __init__(self, of: Terms, accelerated: int) -> None:
        daily = Fraction(of.reference_rate_percent) / 100 / (of.term_days - of.target_day)
        self.rate, self.of = daily * accelerated, of

    def by_vat_rate(self, amounts: list[AmountAtVatRate]) -> list[tuple[int, int]]:
        parts = []
        for amount in amounts:
            net = to_the_penny(self.rate * amount.net_pence)
            vat = to_the_penny(net * Fraction(amount.vat_rate) / 100)
            reduced = amount.vat_pence and self.of.vat_mode == "reduce_net_and_vat"
            parts.append((net, min(vat, amount.vat_pence) if reduced else 0))
        return parts

    def on_gross(self, amounts: list[AmountAtVatRate]) -> int:
        return to_the_penny(self.rate * sum(amount.net_pence + amount.vat_pence for amount in amounts))


vat_rates = st.sampled_from([Decimal(20), Decimal(5), Decimal(0), Decimal("12.5")])


@st.composite
def an_amount(draw: st.DrawFn) -> AmountAtVatRate:
    rate = draw(vat_rates)
    net = draw(st.integers(0, 10**9))
    return AmountAtVatRate(vat_rate=rate, net_pence=net, vat_pence=to_the_penny(net * Fraction(rate) / 100))


some_amounts = st.lists(an_amount(), min_size=1, max_size=4)
any_terms = st.builds(
    Terms,
    reference_rate_percent=st.decimals(min_value="0.0001", max_value="20", places=4),
    target_day=st.integers(0, 20),
    term_days=st.integers(30, 90),
    clock_start=st.just(ClockStart.RECEIVED),
    clock_end=st.just(ClockEnd.RUN_DATE),
    rebate_base=st.sampled_from(RebateBase),
    vat_mode=st.sampled_from(VatMode),
    collection=st.just(Collection.DEDUCT_AT_SOURCE),
)


@given(some_amounts, any_terms, st.integers(0, 120))
def test_between_zero_and_the_whole(amounts: list[AmountAtVatRate], of: Terms, day: int) -> None:
    net, vat = sums(amounts, of, accelerated_days(of, day))
    assert net >= 0
    assert 0 <= vat <= sum(amount.vat_pence for amount in amounts)
    assert net + vat <= sum(amount.net_pence + amount.vat_pence for amount in amounts)


@given(some_amounts, any_terms, st.integers(0, 89))
def test_a_day_later_never_earns_more(amounts: list[AmountAtVatRate], of: Terms, day: int) -> None:
    earlier, later = (sum(sums(amounts, of, accelerated_days(of, on))) for on in (day, day + 1))
    assert later <= earlier


@given(some_amounts, any_terms, st.integers(0, 90))
def test_it_is_the_rule_in_fractions(amounts: list[AmountAtVatRate], of: Terms, accelerated: int) -> None:
    rule = RuleInFractions(of, accelerated)
    parts = rebate_parts(amounts, of, accelerated)
    if of.rebate_base is RebateBase.GROSS:
        assert sum(part.net_pence + part.vat_pence for part in parts) == rule.on_gross(amounts)
    else:
        assert [(part.net_pence, part.vat_pence) for part in parts] == rule.by_vat_rate(amounts)


@given(some_amounts, any_terms, st.integers(0, 90))
def test_a_credit_note_mirrors_its_invoice(amounts: list[AmountAtVatRate], of: Terms, accelerated: int) -> None:
    credit = [amount._replace(net_pence=-amount.net_pence, vat_pence=-amount.vat_pence) for amount in amounts]
    net, vat = sums(amounts, of, accelerated)
    assert sums(credit, of, accelerated) == (-net, -vat)


@given(st.integers(-(10**14), 10**14), st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_rate_is_taken_half_up(pence: int, numerator: int, denominator: int) -> None:
    assert ExactRate(numerator, denominator).of(pence) == to_the_penny(Fraction(pence * numerator, denominator))


@given(some_amounts, any_terms, st.integers(0, 120), st.integers(0, 10**9))
def test_a_variance_is_what_was_deducted_otherwise(
    amounts: list[AmountAtVatRate], of: Terms, day: int, deducted: int
) -> None:
    paid = PaymentFacts(
        remitted_on=RECEIVED + timedelta(days=day), arrives_on=None, deducted_pence=deducted, disputed=False
    )
    assessed = assess(amounts, of, received_on=RECEIVED, payment=paid)
    rule = RuleInFractions(of, max(0, of.term_days - day))
    by_rate = sum(net + vat for net, vat in rule.by_vat_rate(amounts))
    earned = rule.on_gross(amounts) if of.rebate_base is RebateBase.GROSS else by_rate
    assert (assessed.rebate_pence, assessed.variance_pence) == (earned, deducted - earned)
    assert (assessed.variance_cause is None) == (deducted == earned)


@given(some_amounts, some_amounts)
def test_what_is_left_and_what_is_paid_are_the_whole(whole: list[AmountAtVatRate], paid: list[AmountAtVatRate]) -> None:
    assert sorted(joined([*left_over(whole, paid), *paid])) == sorted(joined(whole))
