"""Terms of early payment: which can be agreed, up to the last millionth of a percent."""

import doctest
from decimal import Decimal
from fractions import Fraction

import pytest
from council_common.contracts import early_payment
from council_common.contracts.early_payment import highest_rate_percent, unsound_terms
from hypothesis import given
from hypothesis import strategies as st

MILLIONTHS = 1_000_000


@pytest.mark.parametrize(
    ("term_days", "target_day", "rate", "fields"),
    [
        (30, 10, "1.00", []),
        (30, 0, "100", []),  # all of it on the day of receipt
        (30, 10, "66.666666", []),
        (30, 10, "66.666667", ["reference_rate_percent"]),
        (30, 10, "80", ["reference_rate_percent"]),
        (30, 29, "4.00", ["reference_rate_percent"]),
        (30, 29, "5", ["reference_rate_percent"]),
        (30, 10, "0", []),  # FreePay
        (30, 30, "1.00", ["target_day"]),
        (30, 31, "1.00", ["target_day"]),
    ],
)
def test_terms(term_days: int, target_day: int, rate: str, fields: list[str]) -> None:
    wrong = unsound_terms(term_days=term_days, target_day=target_day, reference_rate_percent=Decimal(rate), at="terms.")
    assert [each.field for each in wrong] == [f"terms.{field}" for field in fields]
    assert all(each.expected for each in wrong)


def test_the_examples_hold() -> None:
    tried = doctest.testmod(early_payment)
    assert (tried.failed, tried.attempted > 0) == (0, True)


@given(st.data(), st.integers(1, 365))
def test_the_highest_rate_is_sound_and_the_next_is_not(data: st.DataObject, term_days: int) -> None:
    target_day = data.draw(st.integers(0, term_days - 1))
    highest = highest_rate_percent(term_days=term_days, target_day=target_day)
    for millionths, sound in ((0, True), (1, False)):
        rate = highest + Decimal(millionths) / MILLIONTHS
        # payables.md §1.1: the rate on the day of receipt.
        assert (Fraction(rate) / (term_days - target_day) * term_days <= 100) is sound
        wrong = unsound_terms(term_days=term_days, target_day=target_day, reference_rate_percent=rate)
        assert (wrong == []) is sound
