"""The worked figures of payables.md §1.1 to §1.4 and of the peer cases E1 to E7, each with its source."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rebate_service.agreements.rules import ClockEnd, ClockStart, RebateBase, Terms, VatMode
from rebate_service.rebates.linear import (
    Days,
    Rate,
    Share,
    accelerated_days,
    elapsed_days,
    half_up,
    rate_for,
    rebate_parts,
)
from rebate_service.rebates.rules import joined, left_over

ONE_PERCENT = Terms(reference_rate_percent=Decimal("1.00"))


def terms(rate: str = "1.00", **changed: Any) -> Terms:
    return Terms(reference_rate_percent=Decimal(rate), **changed)


def flat(rate: str, day: int = 10, **changed: Any) -> Terms:
    """A peer's flat discount `rate` % within `day` days, as the linear rule gives it on that very day."""
    return terms(rate, target_day=day, **changed)


def sums(shares: list[Share], of: Terms, accelerated: int) -> tuple[int, int]:
    parts = rebate_parts(shares, of, accelerated)
    return sum(part.net_pence for part in parts), sum(part.vat_pence for part in parts)


class TestPublishedRates:
    # NHS Wales [2]: a £100 invoice, day 5 £1.25, day 10 £1.00, day 20 £0.50; the rest derived from the formula.
    @pytest.mark.parametrize(
        ("day", "percent", "pence_of_100_pounds"),
        [
            (0, "1.50", 150),
            (5, "1.25", 125),
            (7, "1.15", 115),
            (10, "1.00", 100),
            (20, "0.50", 50),
            (29, "0.05", 5),
            (30, "0.00", 0),
            (31, "0.00", 0),
            (400, "0.00", 0),
        ],
    )
    def test_table_of_the_council_model(self, day: int, percent: str, pence_of_100_pounds: int) -> None:
        rate = rate_for(ONE_PERCENT, accelerated_days(ONE_PERCENT, day))
        assert str(rate.percent) == percent
        assert rate.of(10_000) == pence_of_100_pounds

    def test_a_daily_rate_that_no_decimal_holds_stays_exact(self) -> None:
        # 1 % over 23 days is 0.0434782608… a day; 23 of them are exactly one percent again.
        odd = terms(target_day=7)
        assert rate_for(odd, 23).of(1_000_000) == 10_000
        assert rate_for(odd, 1).of(2_300_000) == 1_000
        assert str(rate_for(odd, 1).percent) == "0.043478"

    @pytest.mark.parametrize(("rate", "day", "pence"), [("0.99", 3, 134), ("1.10", 12, 99), ("0.333333", 10, 33)])
    def test_rates_are_exact_to_six_places(self, rate: str, day: int, pence: int) -> None:
        # £100.00: 0.99 × 27/20 = 1.3365 %; 1.10 × 18/20 = 0.99 %; 0.333333 %
        assert rate_for(terms(rate), 30 - day).of(10_000) == pence

    def test_contract_term_other_than_30(self) -> None:
        # payables.md §1.4 "Contract term ≠ 30: use agreement term".
        longer = terms(term_days=45, target_day=10)
        assert rate_for(longer, accelerated_days(longer, 10)).percent == Decimal("1.00")
        assert rate_for(longer, accelerated_days(longer, 44)).of(3_500_000) == 1_000
        assert accelerated_days(longer, 45) == 0


class TestClock:
    # payables.md §1.1 "The remittance-date trap": received Mon 2 Mar, sent Wed 11 Mar, there on Fri 13 Mar 2026.
    TRAP = Days(date(2026, 3, 2), date(2026, 3, 11), arrives_on=date(2026, 3, 13))

    @pytest.mark.parametrize(
        ("clock_end", "elapsed", "pence"),
        [(ClockEnd.RUN_DATE, 9, 10_500), (ClockEnd.FUNDS_ARRIVAL, 11, 9_500)],
    )
    def test_remittance_date_trap(self, clock_end: ClockEnd, elapsed: int, pence: int) -> None:
        of = terms(clock_end=clock_end)
        assert elapsed_days(of, self.TRAP) == elapsed
        assert rate_for(of, accelerated_days(of, elapsed)).of(1_000_000) == pence

    def test_funds_arrive_on_the_third_day_of_bacs(self) -> None:
        of = terms(clock_end=ClockEnd.FUNDS_ARRIVAL)
        assert elapsed_days(of, Days(date(2026, 3, 2), date(2026, 3, 11))) == 11
        # Sent on Maundy Thursday 2 April 2026: Friday and Monday are bank holidays, the funds are there on Wednesday.
        assert elapsed_days(of, Days(date(2026, 4, 2), date(2026, 4, 2))) == 6

    def test_valid_invoice_date_counts_only_where_agreed_and_later(self) -> None:
        days = Days(date(2026, 3, 2), date(2026, 3, 11), valid_on=date(2026, 3, 6))
        assert elapsed_days(terms(), days) == 9
        assert elapsed_days(terms(clock_start=ClockStart.VALID_INVOICE), days) == 5
        earlier = Days(date(2026, 3, 2), date(2026, 3, 11), valid_on=date(2026, 3, 1))
        assert elapsed_days(terms(clock_start=ClockStart.VALID_INVOICE), earlier) == 9

    def test_elapsed_is_never_negative(self) -> None:
        # Paid before it was received (keyed late): day 0, never a rate above the one of the day of receipt.
        assert elapsed_days(ONE_PERCENT, Days(date(2026, 3, 12), date(2026, 3, 11))) == 0


THOUSAND = [Share(Decimal(20), 100_000, 20_000)]
# payables.md §1.3 "Rounding": day 13, 0.85 %.
MIXED = [Share(Decimal(20), 81_235, 16_247), Share(Decimal(5), 14_999, 750), Share(Decimal(0), 5_000, 0)]


class TestVat:
    def test_net_and_vat_reduced(self) -> None:
        # payables.md §1.3 "Example": £10.00 + £2.00 = £12.00; pay £1,188.00; recover VAT £198.00.
        assert sums(THOUSAND, ONE_PERCENT, 20) == (1_000, 200)

    def test_net_only(self) -> None:
        # The same with net_only: pay £1,190.00, VAT unchanged at £200.00.
        assert sums(THOUSAND, terms(vat_mode=VatMode.NET_ONLY), 20) == (1_000, 0)

    def test_rounded_by_vat_rate(self) -> None:
        # net 6.90 + 1.27 + 0.43, VAT 1.38 + 0.06 + 0 = £10.04
        parts = rebate_parts(MIXED, ONE_PERCENT, 17)
        assert [(part.net_pence, part.vat_pence) for part in parts] == [(690, 138), (127, 6), (43, 0)]
        assert sum(sums(MIXED, ONE_PERCENT, 17)) == 1_004

    def test_on_gross_rounded_once(self) -> None:
        # On gross £1,182.31: £10.05
        parts = rebate_parts(MIXED, terms(rebate_base=RebateBase.GROSS), 17)
        assert sum(part.net_pence + part.vat_pence for part in parts) == 1_005
        assert [(part.net_pence, part.vat_pence) for part in parts] == [(691, 138), (127, 6), (43, 0)]

    def test_on_gross_net_only(self) -> None:
        assert sums(MIXED, terms(rebate_base=RebateBase.GROSS, vat_mode=VatMode.NET_ONLY), 17) == (1_005, 0)

    def test_reverse_charge_has_no_vat_to_reduce(self) -> None:
        # payables.md §2.3: reverse-charge invoices carry no VAT to pay, so the rebate is on net.
        assert sums([Share(Decimal(20), 100_000, 0)], ONE_PERCENT, 20) == (1_000, 0)

    def test_credit_note_is_negative(self) -> None:
        # payables.md §1.4: halves away from zero, so that a credit note mirrors its invoice to the penny.
        credit = [Share(share.vat_rate, -share.net_pence, -share.vat_pence) for share in MIXED]
        assert sums(credit, ONE_PERCENT, 17) == (-860, -144)


class TestPeers:
    """peer_cases.csv: Odoo's flat 10 % within 10 days is our rule on day 10."""

    def test_e2_discount_lowers_vat(self) -> None:
        net, vat = sums([Share(Decimal(15), 150_000, 22_500)], flat("10"), 20)
        assert (net, vat, 172_500 - net - vat) == (15_000, 2_250, 155_250)

    def test_e3_a_fixed_tax_is_not_discounted(self) -> None:
        net, vat = sums([Share(Decimal(15), 150_000, 22_505)], flat("10"), 20)
        assert (net, vat, 172_505 - net - vat) == (15_000, 2_250, 155_255)

    def test_e4_rounding(self) -> None:
        net, vat = sums([Share(Decimal(15), 5_000, 755)], flat("10"), 20)
        assert (net, vat, 5_755 - net - vat) == (500, 75, 5_180)

    def test_e5_mixed_vat_lines(self) -> None:
        parts = rebate_parts([Share(Decimal(15), 100_000, 15_000), Share(Decimal(0), 200_000, 0)], flat("10"), 20)
        assert [(part.net_pence, part.vat_pence) for part in parts] == [(10_000, 1_500), (20_000, 0)]

    def test_e6_batch(self) -> None:
        shares = [[Share(Decimal(0), net, 0)] for net in (100_000, 200_000)]
        assert sum(sum(sums(each, flat("10"), 20)) for each in shares) == 30_000

    def test_e7_discount_never_touches_vat(self) -> None:
        shares = [Share(Decimal(15), 100_000, 15_000), Share(Decimal(0), 200_000, 0)]
        net, vat = sums(shares, flat("10", vat_mode=VatMode.NET_ONLY), 20)
        assert (net, vat, 315_000 - net - vat) == (30_000, 0, 285_000)


rates = st.decimals(min_value="0", max_value="20", places=4)
vat_rates = st.sampled_from([Decimal(20), Decimal(5), Decimal(0), Decimal("12.5")])


@st.composite
def a_share(draw: st.DrawFn) -> Share:
    rate = draw(vat_rates)
    net = draw(st.integers(0, 10**9))
    return Share(rate, net, half_up(net * int(rate * 10), 1000))


shares_of = st.lists(a_share(), min_size=1, max_size=4)
any_terms = st.builds(
    Terms,
    reference_rate_percent=rates,
    target_day=st.integers(0, 20),
    term_days=st.integers(30, 90),
    rebate_base=st.sampled_from(RebateBase),
    vat_mode=st.sampled_from(VatMode),
)


class TestProperties:
    @given(shares_of, any_terms, st.integers(0, 120))
    def test_between_nought_and_the_whole(self, shares: list[Share], of: Terms, elapsed: int) -> None:
        net, vat = sums(shares, of, accelerated_days(of, elapsed))
        assert net >= 0
        assert 0 <= vat <= sum(share.vat_pence for share in shares)
        assert net + vat <= sum(share.net_pence + share.vat_pence for share in shares)

    @given(shares_of, any_terms, st.integers(0, 89))
    def test_a_day_later_never_earns_more(self, shares: list[Share], of: Terms, elapsed: int) -> None:
        earlier, later = (sum(sums(shares, of, accelerated_days(of, day))) for day in (elapsed, elapsed + 1))
        assert later <= earlier

    @given(shares_of, any_terms, st.integers(0, 90))
    def test_gross_parts_sum_to_the_rounded_whole(self, shares: list[Share], of: Terms, accelerated: int) -> None:
        gross = sum(share.net_pence + share.vat_pence for share in shares)
        if of.rebate_base is RebateBase.GROSS:
            assert sum(sums(shares, of, accelerated)) == rate_for(of, accelerated).of(gross)

    @given(shares_of, any_terms, st.integers(0, 90))
    def test_a_credit_note_mirrors_its_invoice(self, shares: list[Share], of: Terms, accelerated: int) -> None:
        credit = [Share(share.vat_rate, -share.net_pence, -share.vat_pence) for share in shares]
        net, vat = sums(shares, of, accelerated)
        assert sums(credit, of, accelerated) == (-net, -vat)

    @given(st.integers(-(10**14), 10**14), rates, st.integers(1, 90), st.integers(1, 90))
    def test_half_up_agrees_with_decimal(self, pence: int, rate: Decimal, days: int, span: int) -> None:
        numerator = pence * int(rate * 1_000_000) * days
        denominator = 100_000_000 * span
        exact = Decimal(abs(numerator)) / denominator
        assert abs(abs(half_up(numerator, denominator)) - exact) <= Decimal("0.5")
        assert Rate(1, 2).of(pence) == half_up(pence, 2)

    @given(shares_of, shares_of)
    def test_what_is_left_and_what_is_paid_are_the_whole(self, whole: list[Share], paid: list[Share]) -> None:
        assert sorted(joined([*left_over(whole, paid), *paid])) == sorted(joined(whole))
