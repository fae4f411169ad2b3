from datetime import date
from typing import get_args

import pytest
from council_bacs.arrivals import arrival_day
from council_bacs.processing_calendar import is_processing_day
from council_common.contracts.invoices import PaymentMethod
from hypothesis import given
from hypothesis import strategies as st

DAYS = st.dates(date(2019, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize(
    ("method", "remitted_on", "arrives_on"),
    [
        ("bacs", date(2026, 3, 11), date(2026, 3, 13)),
        ("bacs", date(2026, 3, 13), date(2026, 3, 17)),
        ("bacs", date(2026, 3, 14), date(2026, 3, 18)),  # a Saturday: input on the Monday
        ("bacs", date(2026, 4, 1), date(2026, 4, 7)),  # over Easter
        ("bacs", date(2026, 4, 28), date(2026, 4, 30)),
        ("faster_payment", date(2026, 4, 3), date(2026, 4, 3)),
        ("direct_debit", date(2026, 3, 11), date(2026, 3, 11)),
        ("cheque", date(2026, 3, 11), None),
        ("card", date(2026, 3, 11), None),
    ],
)
def test_funds_arrive(method: PaymentMethod, remitted_on: date, arrives_on: date | None) -> None:
    assert arrival_day(method, remitted_on) == arrives_on


@given(DAYS)
def test_bacs_arrives_on_a_processing_day_two_to_seven_days_later(day: date) -> None:
    arrives_on = arrival_day("bacs", day)
    assert arrives_on is not None
    assert is_processing_day(arrives_on)
    assert 2 <= (arrives_on - day).days <= 7


@given(DAYS, DAYS)
def test_who_sends_later_never_arrives_earlier(one: date, other: date) -> None:
    first, second = (arrival_day("bacs", day) for day in sorted((one, other)))
    assert first is not None
    assert second is not None
    assert first <= second


@given(st.sampled_from(get_args(PaymentMethod)), DAYS)
def test_nothing_arrives_before_it_is_sent(method: PaymentMethod, day: date) -> None:
    arrives_on = arrival_day(method, day)
    assert arrives_on is None or arrives_on >= day
