"""Bacs's processing days, and the cycle of a file: input, processing, entry, one processing day each.

Source: Pay.UK, Bacs processing calendar. Bacs works Monday to Friday without the bank holidays of England and Wales;
Scotland's and Northern Ireland's make no difference to it. Which days those are is `council_common.calendar`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from council_common.calendar import add_working_days, is_working_day


def is_processing_day(day: date) -> bool:
    """Whether Bacs takes, processes and settles files on that day.

    >>> is_processing_day(date(2026, 4, 2)), is_processing_day(date(2026, 4, 3))  # Maundy Thursday, Good Friday
    (True, False)
    """
    return is_working_day(day)


def add_processing_days(day: date, count: int) -> date:
    """The processing day `count` after `day` (before it when negative); 0 moves to the first one on or after it."""
    return add_working_days(day, count)


@dataclass(frozen=True, slots=True)
class ProcessingCycle:
    """The three processing days of a file: sent to Bacs, passed to the banks, entered on the accounts."""

    input_day: date
    processing_day: date
    entry_day: date

    def day(self, number: int) -> date:
        """A day of the cycle as the scheme counts them: 1 is the input day, 3 the entry day.

        What could not be applied to an account comes back by day 5 (Pay.UK, ARUCS). Raises ValueError below 1.

        >>> cycle_with_input_on(date(2026, 3, 11)).day(5)
        datetime.date(2026, 3, 17)
        """
        if number < 1:
            raise ValueError("the days of a processing cycle count from 1")
        return add_processing_days(self.input_day, number - 1)


def cycle_with_input_on(day: date) -> ProcessingCycle:
    """The cycle of a file that is ready on a day: it is input on the first processing day on or after it.

    >>> cycle_with_input_on(date(2026, 3, 14)).entry_day  # a Saturday: input on Monday 16 March
    datetime.date(2026, 3, 18)
    """
    return _cycle(add_processing_days(day, 0))


def cycle_with_entry_on(day: date) -> ProcessingCycle:
    """The cycle of a file whose items are entered on a day. Raises ValueError where Bacs settles nothing that day.

    >>> cycle_with_entry_on(date(2026, 4, 7)).input_day  # the Tuesday after Easter
    datetime.date(2026, 4, 1)
    """
    if not is_processing_day(day):
        raise ValueError(f"Bacs enters nothing on {day.isoformat()}: expected a working day in England")
    return _cycle(add_processing_days(day, -2))


def _cycle(input_day: date) -> ProcessingCycle:
    return ProcessingCycle(input_day, add_processing_days(input_day, 1), add_processing_days(input_day, 2))
