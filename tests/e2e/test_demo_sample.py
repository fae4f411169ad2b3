"""The sample council is the same every time; the formula its rebates are proved by gives the published figures."""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction

import pytest
from council_common.calendar import add_working_days, is_working_day

from demo.linear_rebate import AmountAtVatRate, earned_pence, expected_pence, rate_on, rebate_pence
from demo.real_data.open_items import OpenItem, days_with_letters, letters_by_level, rebate_by_month
from demo.sample_council import sample_council
from demo.sample_council.days import Month, arrival
from demo.sample_council.facts import Fate, Terms, Way
from demo.stories.file_formats import FORMATS
from demo.stories.paying import RETURNED_DAYS_BEFORE, SHORT_BY_PENCE

SAMPLE = sample_council(date(2026, 3, 31))
# A month's end, a leap day, a Sunday, bank holidays (Boxing Day, New Year's Day, Easter Monday), and days soon after.
OTHER_DAYS = [
    date(2026, 2, 28), date(2024, 2, 29), date(2026, 11, 29), date(2025, 12, 26), date(2027, 1, 1), date(2027, 1, 8),
    date(2025, 4, 21), date(2026, 4, 7), date(2026, 5, 31), date(2022, 6, 6),
]  # fmt: skip
GROSS_OF_INVOICES = 746_998_399
GROSS_OF_CHARGES = 86_936_972
RECEIVED = 43_257_622


def test_the_same_council_every_time() -> None:
    again = sample_council.__wrapped__(date(2026, 3, 31))
    assert again == SAMPLE
    assert sum(invoice.gross_pence for invoice in SAMPLE.invoices) == GROSS_OF_INVOICES
    assert sum(receivable.gross_pence for receivable in SAMPLE.receivables) == GROSS_OF_CHARGES
    assert sum(receipt.amount_pence for receipt in SAMPLE.receipts) == RECEIVED


def test_every_case_is_there() -> None:
    fates = Counter(invoice.fate for invoice in SAMPLE.invoices)
    assert all(fates[fate] for fate in Fate)
    assert sum(supplier.terms is not None for supplier in SAMPLE.suppliers) == 45
    late = [one for one in SAMPLE.invoices for pay in one.payments if (pay.remitted_on - one.received_on).days > 30]
    assert late
    assert any(customer.email is None for customer in SAMPLE.customers)
    for sent_to in (SAMPLE.suppliers, SAMPLE.customers):
        assert any((one.email or "").endswith("@bounce.example") for one in sent_to)
    numbers = {receivable.number for receivable in SAMPLE.receivables}
    stories = SAMPLE.debts
    named = {stories.disputed, stories.cancelled, stories.left_out_of_first_run, stories.part_paid}
    assert named <= numbers
    assert [receipt.settles for receipt in SAMPLE.receipts].count(None) == 1


@pytest.mark.parametrize("last_day", OTHER_DAYS, ids=str)
def test_the_month_ends_on_any_day(last_day: date) -> None:
    sample = sample_council.__wrapped__(last_day)
    month = sample.month
    payments = [payment for invoice in sample.invoices for payment in invoice.payments]
    assert {Fate.PAID, Fate.APPROVED, Fate.RECEIVED} <= {invoice.fate for invoice in sample.invoices}
    assert sum(invoice.fate is Fate.PAID for invoice in sample.invoices) > 600
    # Nothing is dated after the last day, and its last working day is not empty.
    assert max(payment.remitted_on for payment in payments) == month.last_working_day <= last_day
    assert max(receipt.received_on for receipt in sample.receipts) == month.last_working_day
    assert max(invoice.received_on for invoice in sample.invoices) < last_day
    assert max(charge.issued_on for charge in sample.receivables) < last_day
    assert month.run_days[-1] == add_working_days(last_day, -1)
    assert list(month.run_days) == sorted(set(month.run_days))
    for day in [*month.run_days, *(payment.remitted_on for payment in payments)]:
        assert is_working_day(day)
    # The stories keep their order, and the early payments earn.
    for invoice in sample.invoices:
        days = [payment.remitted_on for payment in invoice.payments]
        assert days == sorted(set(days))
        assert all(day > invoice.received_on >= month.first_receipt for day in days)
    [returned] = sample.invoices_with(Fate.RETURNED_AND_REPAID)
    returned_on = month.working_days_before(RETURNED_DAYS_BEFORE)
    assert returned.payments[0].remitted_on < returned_on < returned.payments[1].remitted_on
    [short] = sample.invoices_with(Fate.UNDER_DEDUCTED)
    assert earned_pence(short, short.payments[0]) > SHORT_BY_PENCE
    assert month.agreed_on < month.in_force_from < month.first_receipt
    assert Month.agreed(month.agreed_on) == month


def test_references_are_unique_and_addresses_are_nobodys() -> None:
    references = [
        *(invoice.reference for invoice in SAMPLE.invoices),
        *(payment.reference for invoice in SAMPLE.invoices for payment in invoice.payments),
    ]
    assert len(references) == len(set(references))
    for one in (*SAMPLE.suppliers, *SAMPLE.customers):
        assert one.email is None or one.email.endswith(".example")


def test_vat_numbers_pass_their_check() -> None:
    for supplier in SAMPLE.suppliers:
        digits = [int(digit) for digit in supplier.vat_number.removeprefix("GB")]
        assert sum(w * d for w, d in zip((8, 7, 6, 5, 4, 3, 2, 10, 1), digits, strict=True)) % 97 == 0


def test_payments_never_settle_more_than_the_invoice_and_only_on_working_days() -> None:
    for invoice in SAMPLE.invoices:
        standing = invoice.payments[-1:] if invoice.fate is Fate.RETURNED_AND_REPAID else invoice.payments
        assert sum(payment.settles_pence for payment in standing) in {0, invoice.gross_pence}
        assert all(payment.remitted_on.weekday() < 5 for payment in invoice.payments)
        assert all(payment.remitted_on >= invoice.received_on for payment in invoice.payments)


@pytest.mark.parametrize("way", list(FORMATS))
def test_files_have_their_mistakes_and_lose_them_when_corrected(way: Way) -> None:
    file_format = FORMATS[way]
    records = [file_format.record(one) for one in SAMPLE.invoices if one.way is way]
    assert all(position < len(records) for position in file_format.mistakes)
    spoilt = file_format.spoilt(records)
    assert sum(a != b for a, b in zip(records, spoilt, strict=True)) == len(file_format.mistakes)
    assert file_format.written(records) == file_format.written(records)


# payables.md §1.1: days 5, 10 and 20 are published by NHS Wales, the rest derived from the same line.
@pytest.mark.parametrize(
    ("day", "percent"),
    [(0, "1.50"), (5, "1.25"), (7, "1.15"), (10, "1.00"), (20, "0.50"), (29, "0.05"), (30, "0"), (45, "0")],
)
def test_the_published_rates(day: int, percent: str) -> None:
    assert rate_on(Terms(), day) * 100 == Fraction(percent)


# payables.md §1.1, the remittance-date trap: £10,000 after nine days, and after eleven.
@pytest.mark.parametrize(("day", "pence"), [(9, 105_00), (11, 95_00)])
def test_the_remittance_date_trap(day: int, pence: int) -> None:
    assert rebate_pence(Terms(), [AmountAtVatRate(Fraction(0), 10_000_00, 0)], day) == pence


ROUNDING = [
    AmountAtVatRate(Fraction(20), 812_35, 162_47),
    AmountAtVatRate(Fraction(5), 149_99, 7_50),
    AmountAtVatRate(Fraction(0), 50_00, 0),
]


# payables.md §1.3: £1,000 at 20 % on day 10; £812.35, £149.99 and £50.00 on day 13, by rate and on gross.
@pytest.mark.parametrize(
    ("terms", "amounts", "day", "pence"),
    [
        (Terms(), [AmountAtVatRate(Fraction(20), 1_000_00, 200_00)], 10, 12_00),
        (Terms(vat_mode="net_only"), [AmountAtVatRate(Fraction(20), 1_000_00, 200_00)], 10, 10_00),
        (Terms(), ROUNDING, 13, 10_04),
        (Terms(rebate_base="gross"), ROUNDING, 13, 10_05),
    ],
)
def test_vat_and_rounding(terms: Terms, amounts: list[AmountAtVatRate], day: int, pence: int) -> None:
    assert rebate_pence(terms, amounts, day) == pence


def test_money_arrives_two_working_days_later() -> None:
    assert arrival(date(2026, 3, 11)) == date(2026, 3, 13)
    assert arrival(date(2026, 3, 13)) == date(2026, 3, 17)


def test_outside_the_programme_nothing_is_earned() -> None:
    outside = [(one, pay) for one in SAMPLE.invoices for pay in one.payments if one.supplier.terms is None]
    assert outside
    assert {earned_pence(*each) + expected_pence(*each) for each in outside} == {0}


def test_letters_stop_with_the_day_of_the_money() -> None:
    def an_item(*, settled_on: date) -> OpenItem:
        return OpenItem(
            "1", "a", date(2013, 1, 1), date(2013, 1, 31), settled_on, 100_00, disputed=False, by_email=False
        )

    items = [an_item(settled_on=date(2013, 2, day)) for day in (1, 8, 9, 20)]
    assert letters_by_level(items) == {1: 3, 2: 2, 3: 1, 4: 0}
    assert days_with_letters(items) == [date(2013, 2, 1), date(2013, 2, 8), date(2013, 2, 15)]
    early = an_item(settled_on=date(2013, 1, 11))
    assert rebate_by_month([early]) == {"2013-01": 1_00}
