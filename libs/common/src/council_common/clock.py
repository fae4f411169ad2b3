"""Time is an argument: only the edges (dependencies, worker) hold a clock, everything below takes it as one."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def london_date(moment: datetime) -> date:
    """The date on the office wall at a moment: a payment at 23:30 UTC in July is tomorrow's.

    >>> london_date(datetime(2026, 7, 1, 23, 30, tzinfo=UTC))
    datetime.date(2026, 7, 2)
    """
    return moment.astimezone(LONDON).date()
