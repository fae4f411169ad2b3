import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from council_common.calendar import add_working_days, bank_holidays, is_working_day
from council_common.clock import london_date
from hypothesis import given
from hypothesis import strategies as st

SHARED = Path(os.environ.get("COUNCIL_SHARED", Path(__file__).parents[4] / "shared"))
days = st.dates(min_value=date(2019, 1, 1), max_value=date(2028, 12, 31))


@pytest.mark.real_data
def test_bank_holidays_are_those_of_gov_uk() -> None:
    published = SHARED / "data" / "calendar" / "bank-holidays.json"
    if not published.exists() and not os.environ.get("CI"):
        pytest.skip(f"no {published.name} beside the checkout")
    england = json.loads(published.read_text())["divisions"]["common.nations.england-and-wales_slug"]
    years = {year: days for year, days in england.items() if year.isdigit()}
    assert len(years) == 10
    for year, listed in years.items():
        expected = {datetime.strptime(holiday["date"], "%d/%m/%Y").date() for holiday in listed}  # noqa: DTZ007
        assert bank_holidays(int(year)) == expected, year


@pytest.mark.parametrize(
    ("day", "count", "result"),
    [
        # over Good Friday and Easter Monday, both ways
        (date(2026, 4, 7), -1, date(2026, 4, 2)),
        (date(2026, 4, 7), -2, date(2026, 4, 1)),
        (date(2026, 4, 7), 2, date(2026, 4, 9)),
        (date(2026, 4, 30), -2, date(2026, 4, 28)),
        (date(2026, 12, 26), 0, date(2026, 12, 29)),
    ],
)
def test_working_days(day: date, count: int, result: date) -> None:
    assert add_working_days(day, count) == result


@given(days, st.integers(min_value=1, max_value=40))
def test_adding_and_counting_agree(day: date, count: int) -> None:
    later = add_working_days(day, count)
    days_after = [day + timedelta(days=offset) for offset in range(1, (later - day).days + 1)]
    assert is_working_day(later)
    assert sum(is_working_day(each) for each in days_after) == count


@given(st.datetimes(min_value=datetime(2019, 1, 1), max_value=datetime(2028, 1, 1)))  # noqa: DTZ001
def test_london_is_at_most_an_hour_ahead_of_utc(moment: datetime) -> None:
    utc = moment.replace(tzinfo=UTC)
    assert london_date(utc) in {utc.date(), (utc + timedelta(hours=1)).date()}


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2020, 5, 8), "VE Day, moved from the first Monday"),
        (date(2022, 6, 2), "the spring holiday, moved to the jubilee"),
        (date(2022, 6, 3), "the Platinum Jubilee"),
        (date(2022, 9, 19), "the State Funeral of Queen Elizabeth II"),
        (date(2023, 5, 8), "the coronation of King Charles III"),
    ],
)
def test_holidays_that_were_proclaimed_once(day: date, why: str) -> None:
    """GOV.UK, Bank holidays in England and Wales."""
    assert day in bank_holidays(day.year), why


def test_days_that_gave_their_holiday_away_are_working_days() -> None:
    assert is_working_day(date(2020, 5, 4))
    assert is_working_day(date(2022, 5, 30))
