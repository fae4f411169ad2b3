"""England's working days: Monday to Friday without the bank holidays of England and Wales.

Source: Banking and Financial Dealings Act 1971 and the yearly proclamations, as kept by the `holidays`
library and checked in the tests against GOV.UK's list.
"""

from datetime import date, timedelta
from functools import lru_cache

import holidays


@lru_cache(maxsize=256)
def bank_holidays(year: int) -> frozenset[date]:
    """The bank holidays of England and Wales in a year as GOV.UK lists them: the substitute, not the weekend day."""
    return frozenset(day for day in holidays.country_holidays("GB", subdiv="ENG", years=year) if day.weekday() < 5)


def is_working_day(day: date) -> bool:
    """Whether it is a working day in England.

    >>> is_working_day(date(2026, 12, 28))  # Boxing Day 2026 is a Saturday, observed on the Monday
    False
    """
    return day.weekday() < 5 and day not in bank_holidays(day.year)


def add_working_days(day: date, count: int) -> date:
    """The day `count` working days after `day` (before it when negative); 0 moves to a working day on or after.

    >>> add_working_days(date(2026, 4, 2), 1)  # Maundy Thursday -> Tuesday after Easter
    datetime.date(2026, 4, 7)
    >>> add_working_days(date(2026, 4, 7), -2)
    datetime.date(2026, 4, 1)
    """
    if count == 0:
        while not is_working_day(day):
            day += timedelta(days=1)
        return day
    step = timedelta(days=1 if count > 0 else -1)
    left = abs(count)
    while left:
        day += step
        if is_working_day(day):
            left -= 1
    return day
