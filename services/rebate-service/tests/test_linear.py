"""Published figures, figures of our own rule worked by hand, and those of Odoo's tests for early payment discounts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from council_common.contracts.invoices import PaymentMethod
from rebate_service.agreements.rules import ClockEnd, ClockStart, Collection, RebateBase, Terms, VatMode
from rebate_service.rebates.linear import (
    AmountAtVatRate,
    accelerated_days,
    clock_ends_on,
    clock_starts_on,
    elapsed_days,
    rate_for,
    rebate_parts,
)
from rebate_service.rebates.rules import (
    PaymentFacts,
    RebateStatus,
    VarianceCause,
    assess,
    by_vat_rate,
)

RECEIVED = date(2026, 3, 2)


def terms(rate: str = "1.00", **changed: Any) -> Terms:
    """The terms programmes publish most: 1 % at day 10, nothing at day 30, from receipt to remittance."""
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


def at(vat_rate: int | str, net_pence: int, vat_pence: int) -> AmountAtVatRate:
    return AmountAtVatRate(vat_rate=Decimal(vat_rate), net_pence=net_pence, vat_pence=vat_pence)


def sums(amounts: list[AmountAtVatRate], of: Terms, accelerated: int) -> tuple[int, int]:
    parts = rebate_parts(amounts, of, accelerated)
    return sum(part.net_pence for part in parts), sum(part.vat_pence for part in parts)


class TestPublishedRates:
    # NHS Wales, Priority Supplier Programme: of a £100 invoice day 5 earns £1.25, day 10 £1.00, day 20 £0.50. The
    # other days follow from the line through these points.
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
        # Our policy: the term is the agreement's own; NHS Wales has 30 days "in most cases".
        longer = terms(term_days=45, target_day=10)
        assert rate_for(longer, accelerated_days(longer, 10)).percent == Decimal("1.00")
        assert rate_for(longer, accelerated_days(longer, 44)).of(3_500_000) == 1_000
        assert accelerated_days(longer, 45) == 0


BY_ARRIVAL = terms(clock_end=ClockEnd.FUNDS_ARRIVAL)
BY_VALIDITY = terms(clock_start=ClockStart.VALID_INVOICE)


class TestClock:
    # £10,000 received on Mon 2 Mar, sent on Wed 11 Mar, there on Fri 13 Mar 2026.
    @pytest.mark.parametrize(("of", "days", "pence"), [(ONE_PERCENT, 9, 10_500), (BY_ARRIVAL, 11, 9_500)])
    def test_sent_or_arrived_makes_ten_pounds_of_difference(self, of: Terms, days: int, pence: int) -> None:
        assert elapsed(of, date(2026, 3, 11), arrives_on=date(2026, 3, 13)) == days
        assert rate_for(of, accelerated_days(of, days)).of(1_000_000) == pence

    @pytest.mark.parametrize(
        ("remitted_on", "arrives_on"),
        [
            # Pay.UK, Bacs processing calendar: input, processing and entry are three processing days.
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
    def test_the_arrival_of_a_cheque_is_not_guessed(self, method: PaymentMethod) -> None:
        sent = date(2026, 3, 11)
        assert clock_ends_on(BY_ARRIVAL, sent, None, method) is None
        assert clock_ends_on(BY_ARRIVAL, sent, date(2026, 3, 17), method) == date(2026, 3, 17)
        assert clock_ends_on(ONE_PERCENT, sent, None, method) == sent
        paid = PaymentFacts(remitted_on=sent, arrives_on=None, deducted_pence=1_260, disputed=False, method=method)
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
        # Our policy: the date of receipt stands. The dispute ended on 16 March, the payment was sent on the 11th.
        paid = PaymentFacts(remitted_on=date(2026, 3, 11), arrives_on=None, deducted_pence=0, disputed=False)
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


THOUSAND = [at(20, 100_000, 20_000)]
# Day 13 earns 0.85 %.
MIXED = [
    at(20, 81_235, 16_247),
    at(5, 14_999, 750),
    at(0, 5_000, 0),
]


class TestVat:
    def test_net_and_vat_reduced(self) -> None:
        # £10.00 + £2.00 = £12.00; pay £1,188.00; recover VAT £198.00.
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
        # VATA 1994 ss 8 and 55A: the customer accounts for the VAT, the invoice carries none.
        assert sums([at(20, 100_000, 0)], ONE_PERCENT, 20) == (1_000, 0)

    def test_credit_note_is_negative(self) -> None:
        # Half up, away from zero: a credit note mirrors its invoice to the penny.
        credit = [amount._replace(net_pence=-amount.net_pence, vat_pence=-amount.vat_pence) for amount in MIXED]
        assert sums(credit, ONE_PERCENT, 17) == (-860, -144)

    def test_vat_never_comes_off_the_other_way(self) -> None:
        # What is left after corrections may have net and VAT of different signs: no VAT is put on, nor taken twice.
        assert sums([at(20, -100_000, 5)], ONE_PERCENT, 20) == (-1_000, 0)
        assert sums([at(20, 100_000, -5)], ONE_PERCENT, 20) == (1_000, 0)

    def test_lines_of_one_rate_are_rounded_together(self) -> None:
        # Two lines of £0.50: 1p of £1.00, not 0.5p and 0.5p rounded up to 2p.
        lines = [at(20, 50, 10), at("20.0", 50, 10)]
        assert by_vat_rate(lines) == [at(20, 100, 20)]
        assert sum(sums(by_vat_rate(lines), ONE_PERCENT, 20)) == 1


class TestOdoo:
    """Odoo's flat 10 % within 10 days is our rule on day 10.

    Source: odoo/odoo, addons/account/tests/test_early_payment_discount.py; each test names the one it repeats.
    """

    def test_the_discount_lowers_vat(self) -> None:
        # test_register_discounted_payment_on_single_invoice_with_tax
        net, vat = sums([at(15, 150_000, 22_500)], flat("10"), 20)
        assert (net, vat, 172_500 - net - vat) == (15_000, 2_250, 155_250)

    def test_a_fixed_tax_is_not_discounted(self) -> None:
        # test_register_discounted_payment_on_single_invoice_with_fixed_tax_1
        net, vat = sums([at(15, 150_000, 22_505)], flat("10"), 20)
        assert (net, vat, 172_505 - net - vat) == (15_000, 2_250, 155_255)

    def test_rounding(self) -> None:
        # test_register_discounted_payment_on_single_invoice_with_fixed_tax_2
        net, vat = sums([at(15, 5_000, 755)], flat("10"), 20)
        assert (net, vat, 5_755 - net - vat) == (500, 75, 5_180)

    def test_mixed_vat_lines(self) -> None:
        # test_register_discounted_payment_multi_line_discount
        parts = rebate_parts([at(15, 100_000, 15_000), at(0, 200_000, 0)], flat("10"), 20)
        assert [(part.net_pence, part.vat_pence) for part in parts] == [(10_000, 1_500), (20_000, 0)]

    def test_batch(self) -> None:
        # test_register_payment_batch_included
        invoices = [[at(0, 100_000, 0)], [at(0, 200_000, 0)]]
        assert sum(sum(sums(amounts, flat("10"), 20)) for amounts in invoices) == 30_000

    def test_the_discount_never_lowers_vat(self) -> None:
        amounts = [at(15, 100_000, 15_000), at(0, 200_000, 0)]
        net, vat = sums(amounts, flat("10", vat_mode=VatMode.NET_ONLY), 20)
        assert (net, vat, 315_000 - net - vat) == (30_000, 0, 285_000)
