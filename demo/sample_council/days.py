"""When the sample's month happens: every day of it is counted back from its last one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from council_common.calendar import add_working_days

AGREED_DAYS_BEFORE = 106
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Month:
    """The eight weeks of invoices and twelve of charges that end on a day; weeks end on its last working day.

    >>> month = Month(date(2026, 3, 31))
    >>> month.first_receipt, month.last_receipt, month.first_issue, month.last_issue
    (datetime.date(2026, 2, 2), datetime.date(2026, 3, 27), datetime.date(2026, 1, 5), datetime.date(2026, 3, 16))
    >>> month.agreed_on, month.in_force_from
    (datetime.date(2025, 12, 15), datetime.date(2026, 1, 1))
    """

    last_day: date

    @classmethod
    def agreed(cls, agreed_on: date) -> Month:
        """The month whose agreements were made on a day: what an earlier run left behind says which month it played.

        >>> Month.agreed(date(2025, 12, 15)).last_day
        datetime.date(2026, 3, 31)
        """
        return cls(agreed_on + timedelta(days=AGREED_DAYS_BEFORE))

    @property
    def agreed_on(self) -> date:
        """When the suppliers agreed to be paid early."""
        return self.days_before(AGREED_DAYS_BEFORE)

    @property
    def in_force_from(self) -> date:
        """When the agreements and the dunning ladder begin."""
        return self.days_before(89)

    @property
    def first_receipt(self) -> date:
        """The first day on which an invoice may come in."""
        return self.days_before(57)

    @property
    def last_receipt(self) -> date:
        return self.days_before(4)

    @property
    def last_approved_receipt(self) -> date:
        """What came in later mostly waits for its approval."""
        return self.days_before(18)

    @property
    def first_issue(self) -> date:
        """The first day on which a charge may be raised; it falls due thirty days later."""
        return self.days_before(85)

    @property
    def last_issue(self) -> date:
        return self.days_before(15)

    @property
    def last_working_day(self) -> date:
        """When the last money goes out and comes in.

        >>> Month(date(2026, 12, 27)).last_working_day  # a Sunday; Christmas Day was the Friday
        datetime.date(2026, 12, 24)
        """
        return add_working_days(self.last_day + timedelta(days=1), -1)

    @property
    def first_shown(self) -> date:
        """Where the figures shown and proved begin: before the first invoice and payment."""
        return self.days_before(58)

    @property
    def run_days(self) -> tuple[date, ...]:
        """The days of the weekly dunning runs: the last working day before the month's last and four weeks back, on the
        working day after a bank holiday.

        Never the last day itself, which is today unless somebody says otherwise: today all earlier notices are sent,
        and a run of today would find their intervals just begun.

        >>> [f"{day:%d %b}" for day in Month(date(2026, 3, 31)).run_days]
        ['02 Mar', '09 Mar', '16 Mar', '23 Mar', '30 Mar']
        >>> [f"{day:%d %b}" for day in Month(date(2027, 1, 11)).run_days]  # after a Christmas on a Friday
        ['11 Dec', '18 Dec', '29 Dec', '04 Jan', '08 Jan']
        """
        last = add_working_days(self.last_day, -1)
        return tuple(next_working_day(last - timedelta(weeks=back)) for back in (4, 3, 2, 1, 0))

    @property
    def names(self) -> tuple[str, str, str]:
        """The names of the month and the two before it.

        >>> Month(date(2026, 1, 31)).names
        ('November', 'December', 'January')
        """
        last = self.last_day.month - 1
        return MONTHS[last - 2], MONTHS[last - 1], MONTHS[last]

    def days_before(self, count: int) -> date:
        return self.last_day - timedelta(days=count)

    def working_days_before(self, count: int) -> date:
        """A working day counted back from the last one; what a story does in order stays in order over any holiday.

        >>> Month(date(2026, 3, 31)).working_days_before(21)
        datetime.date(2026, 3, 2)
        """
        return add_working_days(self.last_working_day, -count) if count else self.last_working_day


def next_working_day(day: date) -> date:
    """The day itself or the working day after it."""
    return add_working_days(day, 0)


def arrival(remitted_on: date) -> date:
    """When a Bacs payment arrives: two working days after it is sent.

    >>> arrival(date(2026, 4, 2))  # Maundy Thursday
    datetime.date(2026, 4, 8)
    """
    return add_working_days(remitted_on, 2)
