"""When a job is due: clock times of the office, in the five fields of cron, on every day or on working days only."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cronsim import CronSim, CronSimError

from council_common.calendar import is_working_day
from council_common.clock import LONDON

MOST_CAUGHT_UP = 31
"""A daily job is caught up for a month, a monthly one for more than two years."""

LONGEST_LOOK_BACK = timedelta(days=1100)
YEARS_AHEAD = 10


class NextDue(NamedTuple):
    """The occurrence that is next, and how many older ones are given up."""

    due_at: datetime
    given_up: int


@dataclass(frozen=True)
class Schedule:
    """Clock times in London. Raises ValueError for what is not cron's or never comes.

    When the clocks go forward, what is due in the missing hour is due at its end; when they go back, what is due in
    the repeated hour is due once, the first time (as in Debian's cron; `*` in minutes or hours means each one).
    """

    at: str
    working_days: bool = False

    def __post_init__(self) -> None:
        try:
            next(self.after(datetime(2026, 1, 1, tzinfo=UTC)))
        except (CronSimError, StopIteration) as fault:
            raise ValueError(f"{self.at!r} is not a time of five fields (minute hour day month weekday)") from fault

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The occurrences after a moment, in order, in UTC.

        >>> next(Schedule("0 2 * * *").after(datetime(2026, 7, 1, 12, tzinfo=UTC)))
        datetime.datetime(2026, 7, 2, 1, 0, tzinfo=datetime.timezone.utc)
        """
        for local in CronSim(self.at, moment.astimezone(LONDON)):
            if local.year > moment.year + YEARS_AHEAD:
                return  # Sundays, where working days are wanted
            due_at = local.astimezone(UTC)
            # Begun inside the repeated hour, the first may lie behind us.
            if due_at > moment and (not self.working_days or is_working_day(local.date())):
                yield due_at

    def next_due(self, last: datetime, *, now: datetime) -> NextDue:
        """What comes after the last occurrence: the oldest that was missed, of 31 at most, else the next to come."""
        missed: deque[datetime] = deque(maxlen=MOST_CAUGHT_UP)
        for count, due_at in enumerate(self.after(max(last, now - LONGEST_LOOK_BACK))):
            if due_at > now:
                return NextDue(missed[0] if missed else due_at, count - len(missed))
            missed.append(due_at)
        raise ValueError(f"{self.at!r} never comes again")
