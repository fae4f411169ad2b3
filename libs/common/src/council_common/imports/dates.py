"""Dates as councils and their systems write them, day first, and never ambiguous in silence."""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final, Literal

from council_common.clock import london_date
from council_common.imports.problems import BadValue, shown

DateOrder = Literal["dmy", "mdy"]
MonthDay = int | Literal["last"]
"""The day that stands for a month without one: 1 to 28, or its last."""

EXPECTED: Final = {
    "dmy": "a date such as 31/01/2026, 31-Jan-26, 31 January 2026 or 2026-01-31",
    "mdy": "a date such as 01/31/2026 (month first), 31-Jan-26 or 2026-01-31",
}
# Day 60 of Excel's calendar is 29 February 1900, which never was; counting from here is right from March 1900.
_EXCEL_EPOCH: Final = date(1899, 12, 30)
_FIRST_SERIAL, _LAST_SERIAL = 61, 2_958_465
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_TIME: Final = r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2}(?:\.\d+)?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
_ISO: Final = re.compile(rf"(\d{{4}})([-/])(\d{{1,2}})\2(\d{{1,2}}){_TIME}", re.ASCII)
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_SLASHED: Final = re.compile(rf"(\d{{1,2}})([-/. ])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}", re.ASCII)
_DAY_MONTH: Final = re.compile(
    rf"(\d{{1,2}})(?:st|nd|rd|th)?[-/. ]+([a-z]{{3,9}})\.?,?[-/. ]+(\d{{4}}|\d{{2}}){_TIME}",
    re.ASCII | re.IGNORECASE,
)
_MONTH_DAY: Final = re.compile(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})", re.ASCII | re.IGNORECASE)
_NUMBERED_MONTH: Final = re.compile(
    r"(?P<month>\d{1,2})[-/. ](?P<year>\d{4})|(?P<year_first>\d{4})[-/. ]?(?P<then>\d{2})"
)
_NAMED_MONTH: Final = re.compile(r"([a-z]{3,9})\.?[-/. ]+(\d{4}|\d{2})", re.ASCII | re.IGNORECASE)
_WEEKDAY: Final = re.compile(r"([a-z]{3,9})\.?,? +(?=\d|[a-z])", re.ASCII | re.IGNORECASE)
_SERIAL: Final = re.compile(r"(\d{1,7})(?:\.\d+)?", re.ASCII)


def parse_date(
    text: str, *, order: DateOrder = "dmy", excel_serial: bool = False, month_day: MonthDay | None = None
) -> date:
    """Read one date; a day of the week before it has to be the right day.

    A time of day after it is dropped, unless its zone is given: then the day is that in London at the moment, as
    systems write a local midnight in UTC.

    Two-digit years are 1970 to 2069 (POSIX `%y` with one year moved). `04/29/2022` is refused unless `order`
    is `mdy` (the month first); a bare number is a date only where `excel_serial` allows it, and a month only where
    `month_day` says which of its days is meant.

    >>> parse_date("2 July 2013"), parse_date("07/02/2013", order="mdy")
    (datetime.date(2013, 7, 2), datetime.date(2013, 7, 2))
    >>> parse_date("Mar-13", month_day="last"), parse_date("2013-03", month_day=1)
    (datetime.date(2013, 3, 31), datetime.date(2013, 3, 1))
    >>> parse_date("2026-06-30T23:00:00Z")
    datetime.date(2026, 7, 1)
    """
    found = " ".join(text.split())
    bare, weekday = _without_weekday(found)
    try:
        read = _read(bare, order, excel_serial)
        if read is None and month_day is not None:
            read = _of_month(bare, month_day)
    except (ValueError, OverflowError) as wrong:
        raise BadValue("not-a-calendar-day", f"{shown(text)} is not a day: {wrong}", EXPECTED[order]) from None
    if read is None:
        raise BadValue("not-a-date", f"{shown(text)} is not a date", EXPECTED[order])
    if weekday is not None and read.weekday() != weekday:
        problem = f"{shown(text)} was a {_DAYS[read.weekday()].capitalize()}"
        raise BadValue("wrong-weekday", problem, EXPECTED[order])
    return read


def _read(text: str, order: DateOrder, excel_serial: bool) -> date | None:
    for pattern, reader in _READERS:
        if match := pattern.fullmatch(text):
            return _in_london(reader(match, order), **match.groupdict())
    if excel_serial and (match := _SERIAL.fullmatch(text)):
        serial = int(match[1])
        if not _FIRST_SERIAL <= serial <= _LAST_SERIAL:
            raise ValueError(f"day {serial} is outside Excel's calendar")
        return _EXCEL_EPOCH + timedelta(days=serial)
    return None


def _of_month(text: str, month_day: MonthDay) -> date | None:
    if match := _NAMED_MONTH.fullmatch(text):
        year, month = full_year(match[2]), _month(match[1])
    elif match := _NUMBERED_MONTH.fullmatch(text):
        year, month = int(match["year"] or match["year_first"]), int(match["month"] or match["then"])
    else:
        return None
    day = monthrange(year, month)[1] if month_day == "last" else month_day
    return _day(year, month, day, "dmy")


def _in_london(day: date, *, hour: str = "", minute: str = "", zone: str | None = None) -> date:
    """The day in London at a moment whose zone is given; without a zone, the day as it was written."""
    if not zone:
        return day
    return london_date(datetime.fromisoformat(f"{day}T{hour:0>2}:{minute}{zone.upper()}"))


def _iso(match: re.Match[str], order: DateOrder) -> date:
    return _day(int(match[1]), int(match[3]), int(match[4]), order)


def _compact(match: re.Match[str], order: DateOrder) -> date:
    return _day(int(match[1]), int(match[2]), int(match[3]), order)


def _slashed(match: re.Match[str], order: DateOrder) -> date:
    first, second = int(match[1]), int(match[3])
    day, month = (second, first) if order == "mdy" else (first, second)
    return _day(full_year(match[4]), month, day, order)


def _day_month(match: re.Match[str], order: DateOrder) -> date:
    return _day(full_year(match[3]), _month(match[2]), int(match[1]), order)


def _month_day(match: re.Match[str], order: DateOrder) -> date:
    return _day(full_year(match[3]), _month(match[1]), int(match[2]), order)


_READERS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], DateOrder], date]], ...]] = (
    (_ISO, _iso),
    (_SLASHED, _slashed),
    (_DAY_MONTH, _day_month),
    (_MONTH_DAY, _month_day),
    (_COMPACT, _compact),
)


def _day(year: int, month: int, day: int, order: DateOrder) -> date:
    if not 1 <= month <= 12:
        swapped = "month first" if order == "dmy" else "day first"
        hint = f" (is the file written {swapped}?)" if 1 <= day <= 12 else ""
        raise ValueError(f"there is no month {month}{hint}")
    return datetime(year, month, day).date()  # noqa: DTZ001 - a calendar day has no zone


def full_year(text: str) -> int:
    """The year of two or four digits."""
    year = int(text)
    if len(text) == 4:
        return year
    return year + (2000 if year < 70 else 1900)


def _month(word: str) -> int:
    lowered = word.lower()
    for number, name in enumerate(_MONTHS, start=1):
        if lowered in (name, name[:3]) or (lowered == "sept" and number == 9):
            return number
    raise ValueError(f"there is no month {word}")


def _without_weekday(text: str) -> tuple[str, int | None]:
    match = _WEEKDAY.match(text)
    if match is None:
        return text, None
    word = match[1].lower()
    for number, name in enumerate(_DAYS):
        if word in (name, name[:3]) or (number in (1, 3) and word in (name[:4], name[:5])):
            return text[match.end() :], number
    return text, None
