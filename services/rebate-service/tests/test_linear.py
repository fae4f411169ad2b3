"""The worked figures of payables.md §1.1 to §1.4 and of the peer cases E1 to E7, each with its source."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from council_common.contracts.invoices import PaymentMethod
from hypothesis import given
from hypothesis import strategies as st
from rebate_service.agreements.rules import ClockEnd, ClockStart, Collection, RebateBase, Terms, VatMode
from rebate_service.rebates.linear import (
    Rate,
    Share,
    accelerated_days,
    clock_ends_on,
    clock_starts_on,
    elapsed_days,
    rate_for,
    rebate_parts,
)
from rebate_service.rebates.rules import Payment, RebateStatus, VarianceCause, assess, by_vat_rate, joined, left_over

RECEIVED = date(2026, 3, 2)


def terms(rate: str = "1.00", **changed: Any) -> Terms:
    """The council model (payables.md §1.1) but for what is changed."""
    model: dict[str, Any] = {
        "reference_rate_percent": Decimal(rate),
        "target_day": 10,
        "term_days": 30,
        "clock_start": ClockStart.RECEIVED,
        "clock_end": ClockEnd.RUN_DATE,
        "rebate_base": RebateBase.NET,
        "vat_mode": VatMode.REDUCE_NET_AND_VAT,
        "collection": Collection.DEDUCT_AT_SOURCE,
    }
    return Terms(**(model | changed))


ONE_PERCENT = terms()


def flat(rate: str, day: int = 10, **changed: Any) -> Terms:
    """A peer's flat discount `rate` % within `day` days, as the linear rule gives it on that very day."""
    return terms(rate, target_day=day, **changed)


def elapsed(
    of: Terms,
    remitted_on: date,
    *,
    received_on: date = RECEIVED,
    valid_on: date | None = None,
    arrives_on: date | None = None,
    method: PaymentMethod | None = None,
) -> int:
    ended_on = clock_ends_on(of, remitted_on, arrives_on, method)
    assert ended_on is not None
    return elapsed_days(clock_starts_on(of, received_on, valid_on, remitted_on), ended_on)


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


BY_ARRIVAL = terms(clock_end=ClockEnd.FUNDS_ARRIVAL)
BY_VALIDITY = terms(clock_start=ClockStart.VALID_INVOICE)


class TestClock:
    # payables.md §1.1 "The remittance-date trap": received Mon 2 Mar, sent Wed 11 Mar, there on Fri 13 Mar 2026.
    @pytest.mark.parametrize(("of", "days", "pence"), [(ONE_PERCENT, 9, 10_500), (BY_ARRIVAL, 11, 9_500)])
    def test_remittance_date_trap(self, of: Terms, days: int, pence: int) -> None:
        assert elapsed(of, date(2026, 3, 11), arrives_on=date(2026, 3, 13)) == days
        assert rate_for(of, accelerated_days(of, days)).of(1_000_000) == pence

    @pytest.mark.parametrize(
        ("remitted_on", "arrives_on"),
        [
            # payables.md §3.2: input, processing, entry, three working days; §2.1: for arrival on 30 Apr submit 28 Apr.
            (date(2026, 3, 11), date(2026, 3, 13)),
            (date(2026, 4, 28), date(2026, 4, 30)),
            (date(2026, 4, 2), date(2026, 4, 8)),  # Maundy Thursday: Friday and Monday are bank holidays
            # Sent on a day on which Bacs does not work: the input day is the next working day.
            (date(2026, 3, 7), date(2026, 3, 11)),  # Saturday
            (date(2026, 3, 14), date(2026, 3, 18)),  # Saturday
            (date(2026, 3, 15), date(2026, 3, 18)),  # Sunday
            (date(2026, 4, 3), date(2026, 4, 9)),  # Good Friday
            (date(2026, 12, 25), date(2026, 12, 31)),  # Christmas Day on a Friday, Boxing Day observed on Monday
        ],
    )
    @pytest.mark.parametrize("method", ["bacs", None])
    def test_bacs_takes_three_working_days(
        self, remitted_on: date, arrives_on: date, method: PaymentMethod | None
    ) -> None:
        assert clock_ends_on(BY_ARRIVAL, remitted_on, None, method) == arrives_on
        assert clock_ends_on(ONE_PERCENT, remitted_on, None, method) == remitted_on

    def test_a_faster_payment_is_there_the_same_day(self) -> None:
        # £10,000 on Wed 11 March: 9 days and £105.00 by either clock. On a Saturday, too.
        assert elapsed(BY_ARRIVAL, date(2026, 3, 11), method="faster_payment") == 9
        assert clock_ends_on(BY_ARRIVAL, date(2026, 3, 14), None, "faster_payment") == date(2026, 3, 14)

    @pytest.mark.parametrize("method", ["cheque", "card"])
    def test_nobody_guesses_when_a_cheque_is_there(self, method: PaymentMethod) -> None:
        sent = date(2026, 3, 11)
        assert clock_ends_on(BY_ARRIVAL, sent, None, method) is None
        assert clock_ends_on(BY_ARRIVAL, sent, date(2026, 3, 17), method) == date(2026, 3, 17)
        assert clock_ends_on(ONE_PERCENT, sent, None, method) == sent
        paid = Payment(sent, None, 1_260, disputed=False, method=method)
        assessed = assess(THOUSAND, BY_ARRIVAL, received_on=RECEIVED, payment=paid)
        assert (assessed.status, assessed.cause) == (RebateStatus.MISSED, "arrival_unknown")
        assert (assessed.elapsed_days, assessed.clock_ended_on, assessed.rebate_pence) == (None, None, 0)
        assert (assessed.variance_pence, assessed.variance_cause) == (1_260, VarianceCause.DEDUCTED_WITHOUT_ARRIVAL)

    def test_valid_invoice_date_counts_only_where_agreed_and_later(self) -> None:
        assert elapsed(terms(), date(2026, 3, 11), valid_on=date(2026, 3, 6)) == 9
        assert elapsed(BY_VALIDITY, date(2026, 3, 11), valid_on=date(2026, 3, 6)) == 5
        assert elapsed(BY_VALIDITY, date(2026, 3, 11), valid_on=date(2026, 3, 11)) == 0
        assert elapsed(BY_VALIDITY, date(2026, 3, 11), valid_on=date(2026, 3, 1)) == 9

    @pytest.mark.parametrize(
        ("received_on", "days", "status", "pence"),
        [(date(2026, 2, 2), 37, "missed", 0), (date(2026, 3, 10), 1, "earned", 1_740)],
    )
    def test_paid_before_it_was_valid_earns_by_receipt(
        self, received_on: date, days: int, status: str, pence: int
    ) -> None:
        # payables.md §1.4: "original received date stands". Its dispute ended on 16 March, its payment says the 11th.
        paid = Payment(date(2026, 3, 11), None, 0, disputed=False)
        for clock_end in ClockEnd:
            of = terms(clock_start=ClockStart.VALID_INVOICE, clock_end=clock_end)
            assessed = assess(THOUSAND, of, received_on=received_on, valid_on=date(2026, 3, 16), payment=paid)
            later = 2 if clock_end is ClockEnd.FUNDS_ARRIVAL else 0
            assert (assessed.clock_started_on, assessed.elapsed_days) == (received_on, days + later)
            assert assessed.status == status
            assert assessed.rebate_pence == (pence - 60 * later if pence else 0)

    def test_elapsed_is_never_negative(self) -> None:
        # Paid before it was received (keyed late): day 0, never a rate above the one of the day of receipt.
        assert elapsed(ONE_PERCENT, date(2026, 3, 11), received_on=date(2026, 3, 12)) == 0


THOUSAND = [Share(Decimal(20), 100_000, 20_000)]
# payables.md §1.3 "Rounding": day 13, 0.85 %.
MIXED = [Share(Decimal(20), 81_235, 16_247), Share(Decimal(5), 14_999, 750), Share(Decimal(0), 5_000, 0)]


class TestVat:
    def test_net_and_vat_reduced(self) -> None:
        # payables.md §1.3 "Example": £10.00 + £2.00 = £12.00; pay £1,188.00; recover VAT £198.00.
        net, vat = sums(THOUSAND, ONE_PERCENT, 20)
        assert (net, vat, 120_000 - net - vat, 20_000 - vat) == (1_000, 200, 118_800, 19_800)

    def test_net_only(self) -> None:
        # The same with net_only: pay £1,190.00, VAT unchanged at £200.00.
        net, vat = sums(THOUSAND, terms(vat_mode=VatMode.NET_ONLY), 20)
        assert (net, vat, 120_000 - net - vat, 20_000 - vat) == (1_000, 0, 119_000, 20_000)

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
        # payables.md §1.3 says half up; away from zero is ours, so that a credit note mirrors its invoice to the penny.
        credit = [Share(share.vat_rate, -share.net_pence, -share.vat_pence) for share in MIXED]
        assert sums(credit, ONE_PERCENT, 17) == (-860, -144)

    def test_vat_never_comes_off_the_other_way(self) -> None:
        # What is left after corrections may have net and VAT of different signs: no VAT is put on, nor taken twice.
        assert sums([Share(Decimal(20), -100_000, 5)], ONE_PERCENT, 20) == (-1_000, 0)
        assert sums([Share(Decimal(20), 100_000, -5)], ONE_PERCENT, 20) == (1_000, 0)

    def test_lines_of_one_rate_are_rounded_together(self) -> None:
        # payables.md §1.3: "per VAT rate". Two lines of £0.50: 1p of £1.00, not 0.5p and 0.5p rounded up to 2p.
        lines = [Share(Decimal(20), 50, 10), Share(Decimal("20.0"), 50, 10)]
        assert by_vat_rate(lines) == [Share(Decimal(20), 100, 20)]
        assert sum(sums(by_vat_rate(lines), ONE_PERCENT, 20)) == 1


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


def to_the_penny(exact: Fraction) -> int:
    """Half up, away from nought."""
    pence = int(abs(exact) + Fraction(1, 2))
    return pence if exact >= 0 else -pence


class Told:
    """The rule told again in fractions: the documents' formula (payables.md §1.1, §1.3), none of the service's code."""

    def __init__(self, of: Terms, accelerated: int) -> None:
        daily = Fraction(of.reference_rate_percent) / 100 / (of.term_days - of.target_day)
        self.rate, self.of = daily * accelerated, of

    def by_vat_rate(self, shares: list[Share]) -> list[tuple[int, int]]:
        parts = []
        for share in shares:
            net = to_the_penny(self.rate * share.net_pence)
            vat = to_the_penny(net * Fraction(share.vat_rate) / 100)
            reduced = share.vat_pence and self.of.vat_mode == "reduce_net_and_vat"
            parts.append((net, min(vat, share.vat_pence) if reduced else 0))
        return parts

    def on_gross(self, shares: list[Share]) -> int:
        return to_the_penny(self.rate * sum(share.net_pence + share.vat_pence for share in shares))


rates = st.decimals(min_value="0.0001", max_value="20", places=4)
vat_rates = st.sampled_from([Decimal(20), Decimal(5), Decimal(0), Decimal("12.5")])


@st.composite
def a_share(draw: st.DrawFn) -> Share:
    rate = draw(vat_rates)
    net = draw(st.integers(0, 10**9))
    return Share(rate, net, to_the_penny(net * Fraction(rate) / 100))


shares_of = st.lists(a_share(), min_size=1, max_size=4)
any_terms = st.builds(
    terms,
    rates.map(str),
    target_day=st.integers(0, 20),
    term_days=st.integers(30, 90),
    rebate_base=st.sampled_from(RebateBase),
    vat_mode=st.sampled_from(VatMode),
)


class TestProperties:
    @given(shares_of, any_terms, st.integers(0, 120))
    def test_between_nought_and_the_whole(self, shares: list[Share], of: Terms, day: int) -> None:
        net, vat = sums(shares, of, accelerated_days(of, day))
        assert net >= 0
        assert 0 <= vat <= sum(share.vat_pence for share in shares)
        assert net + vat <= sum(share.net_pence + share.vat_pence for share in shares)

    @given(shares_of, any_terms, st.integers(0, 89))
    def test_a_day_later_never_earns_more(self, shares: list[Share], of: Terms, day: int) -> None:
        earlier, later = (sum(sums(shares, of, accelerated_days(of, on))) for on in (day, day + 1))
        assert later <= earlier

    @given(shares_of, any_terms, st.integers(0, 90))
    def test_it_is_the_rule_told_in_fractions(self, shares: list[Share], of: Terms, accelerated: int) -> None:
        told = Told(of, accelerated)
        parts = rebate_parts(shares, of, accelerated)
        if of.rebate_base is RebateBase.GROSS:
            assert sum(part.net_pence + part.vat_pence for part in parts) == told.on_gross(shares)
        else:
            assert [(part.net_pence, part.vat_pence) for part in parts] == told.by_vat_rate(shares)

    @given(shares_of, any_terms, st.integers(0, 90))
    def test_a_credit_note_mirrors_its_invoice(self, shares: list[Share], of: Terms, accelerated: int) -> None:
        credit = [Share(share.vat_rate, -share.net_pence, -share.vat_pence) for share in shares]
        net, vat = sums(shares, of, accelerated)
        assert sums(credit, of, accelerated) == (-net, -vat)

    @given(st.integers(-(10**14), 10**14), st.integers(0, 10**9), st.integers(1, 10**9))
    def test_a_rate_is_taken_half_up(self, pence: int, numerator: int, denominator: int) -> None:
        assert Rate(numerator, denominator).of(pence) == to_the_penny(Fraction(pence * numerator, denominator))

    @given(shares_of, any_terms, st.integers(0, 120), st.integers(0, 10**9))
    def test_a_variance_is_what_was_deducted_otherwise(
        self, shares: list[Share], of: Terms, day: int, deducted: int
    ) -> None:
        paid = Payment(RECEIVED + timedelta(days=day), None, deducted, disputed=False)
        assessed = assess(shares, of, received_on=RECEIVED, payment=paid)
        told = Told(of, max(0, of.term_days - day))
        by_rate = sum(net + vat for net, vat in told.by_vat_rate(shares))
        earned = told.on_gross(shares) if of.rebate_base is RebateBase.GROSS else by_rate
        assert (assessed.rebate_pence, assessed.variance_pence) == (earned, deducted - earned)
        assert (assessed.variance_cause is None) == (deducted == earned)

    @given(shares_of, shares_of)
    def test_what_is_left_and_what_is_paid_are_the_whole(self, whole: list[Share], paid: list[Share]) -> None:
        assert sorted(joined([*left_over(whole, paid), *paid])) == sorted(joined(whole))
