from datetime import date, timedelta

import pytest
from council_bacs.processing_calendar import (
    ProcessingCycle,
    add_processing_days,
    cycle_with_entry_on,
    cycle_with_input_on,
    is_processing_day,
)
from council_common.calendar import bank_holidays
from hypothesis import assume, given
from hypothesis import strategies as st

DAYS = st.dates(date(2019, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize(
    ("input_day", "processing_day", "entry_day"),
    [
        (date(2026, 3, 11), date(2026, 3, 12), date(2026, 3, 13)),
        (date(2026, 4, 1), date(2026, 4, 2), date(2026, 4, 7)),  # over Good Friday and Easter Monday
        (date(2026, 4, 28), date(2026, 4, 29), date(2026, 4, 30)),
        (date(2026, 12, 23), date(2026, 12, 24), date(2026, 12, 29)),  # Boxing Day is observed on the Monday
    ],
)
def test_a_file_is_input_processed_and_entered(input_day: date, processing_day: date, entry_day: date) -> None:
    cycle = ProcessingCycle(input_day, processing_day, entry_day)
    assert cycle_with_input_on(input_day) == cycle_with_entry_on(entry_day) == cycle


@pytest.mark.parametrize(
    ("entry_day", "fifth"),
    [
        (date(2026, 4, 7), date(2026, 4, 9)),  # an unpaid collection of Tuesday 7 April is back by Thursday 9 April
        (date(2026, 3, 13), date(2026, 3, 17)),
    ],
)
def test_what_could_not_be_applied_is_back_on_day_five(entry_day: date, fifth: date) -> None:
    assert cycle_with_entry_on(entry_day).day(5) == fifth


@given(DAYS)
def test_a_processing_day_is_no_weekend_and_no_bank_holiday(day: date) -> None:
    assert is_processing_day(day) == (day.isoweekday() <= 5 and day not in bank_holidays(day.year))


@given(DAYS)
def test_a_cycle_is_three_processing_days_in_a_row_whatever_day_the_file_is_ready(day: date) -> None:
    cycle = cycle_with_input_on(day)
    days = [cycle.input_day, cycle.processing_day, cycle.entry_day]
    every_day = [day + timedelta(days=offset) for offset in range((cycle.entry_day - day).days + 1)]
    assert days == [each for each in every_day if is_processing_day(each)]
    assert [cycle.day(number) for number in (1, 2, 3)] == days


@given(DAYS)
def test_the_cycle_of_an_entry_day_is_the_cycle_of_its_input_day(day: date) -> None:
    assume(is_processing_day(day))
    assert cycle_with_entry_on(day).entry_day == day
    assert cycle_with_input_on(cycle_with_entry_on(day).input_day) == cycle_with_entry_on(day)


@given(DAYS, st.integers(1, 40))
def test_processing_days_count_back_as_they_count_on(day: date, count: int) -> None:
    assume(is_processing_day(day))
    assert add_processing_days(add_processing_days(day, count), -count) == day


@pytest.mark.parametrize("day", [date(2026, 3, 14), date(2026, 4, 3), date(2026, 12, 28)])
def test_nothing_is_entered_on_a_weekend_or_a_bank_holiday(day: date) -> None:
    with pytest.raises(ValueError, match=day.isoformat()):
        cycle_with_entry_on(day)


def test_the_days_of_a_cycle_count_from_one() -> None:
    with pytest.raises(ValueError, match="count from 1"):
        cycle_with_input_on(date(2026, 3, 11)).day(0)
