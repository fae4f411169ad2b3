"""Clock times of the office: summer time, working days, what was missed."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile

import pytest
from council_common.clock import LONDON
from council_common.service.schedule import MOST_CAUGHT_UP, Schedule


def _on(day: date, schedule: Schedule) -> list[datetime]:
    """The occurrences of a London day, in UTC."""
    begin = datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)
    after = schedule.after(begin - timedelta(seconds=1))
    return list(takewhile(lambda due_at: due_at.astimezone(LONDON).date() == day, after))


SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


@pytest.mark.parametrize(
    ("at", "day", "due"),
    [
        ("0 2 * * *", date(2026, 1, 15), "02:00"),  # winter: UTC is London
        ("0 2 * * *", date(2026, 7, 15), "01:00"),
        ("30 1 * * *", SPRING, "01:00"),  # 01:30 does not exist: due when the missing hour is over
        ("30 1 * * *", AUTUMN, "00:30"),  # 01:30 comes twice: due the first time
        ("0 2 * * *", SPRING, "01:00"),
        ("0 2 * * *", AUTUMN, "02:00"),
    ],
)
def test_each_day_has_its_occurrence_once_also_when_the_clocks_change(at: str, day: date, due: str) -> None:
    assert [f"{due_at:%H:%M}" for due_at in _on(day, Schedule(at))] == [due]


@pytest.mark.parametrize("minute", [0, 15, 29, 30, 31, 59])
@pytest.mark.parametrize("hour", [0, 1])
def test_what_was_due_in_the_repeated_hour_is_not_due_again_in_it(hour: int, minute: int) -> None:
    moment = datetime(2026, 10, 25, hour, minute, tzinfo=UTC)
    due_at = next(Schedule("30 1 * * *").after(moment))
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert due_at == (first if moment < first else datetime(2026, 10, 26, 1, 30, tzinfo=UTC))


def test_every_quarter_of_an_hour_counts_real_hours() -> None:
    assert len(_on(SPRING, Schedule("*/15 * * * *"))) == 23 * 4
    assert len(_on(AUTUMN, Schedule("*/15 * * * *"))) == 25 * 4


def test_on_working_days_only() -> None:
    after = Schedule("0 8 * * *", working_days=True).after(datetime(2026, 4, 1, 12, tzinfo=UTC))
    days = [due_at.date().isoformat() for due_at in islice(after, 3)]
    assert days == ["2026-04-02", "2026-04-07", "2026-04-08"]  # Good Friday to Easter Monday are none


@pytest.mark.parametrize("at", ["", "2 o'clock", "0 2 * *", "61 2 * * *", "0 0 31 2 *"])
def test_what_is_no_clock_time_is_refused(at: str) -> None:
    with pytest.raises(ValueError, match="is not a time of five fields"):
        Schedule(at)


def test_a_time_that_never_falls_on_a_working_day_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a time of five fields"):
        Schedule("0 8 * * SUN", working_days=True)


NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)
DAILY = Schedule("0 2 * * *")


def test_what_was_missed_comes_first_the_oldest_before_the_others() -> None:
    last = datetime(2026, 3, 8, 2, tzinfo=UTC)
    assert DAILY.next_due(last, now=NOON) == (datetime(2026, 3, 9, 2, tzinfo=UTC), 0)
    assert DAILY.next_due(NOON, now=NOON) == (datetime(2026, 3, 12, 2, tzinfo=UTC), 0)


def test_of_a_long_absence_the_newest_are_caught_up_and_the_others_given_up() -> None:
    due_at, given_up = DAILY.next_due(NOON - timedelta(days=40), now=NOON)
    assert (due_at.date(), given_up) == (date(2026, 2, 9), 40 - MOST_CAUGHT_UP)
