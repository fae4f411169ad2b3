"""Which way round the dates of a column are written, decided from all of them before one is read.

`03/04/2026` alone says nothing; `24/04/2026` further down says that the column has the day first, and `4/24/2026` that
it has the month first. A column is read one way only: where its dates contradict each other its sender is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Sequence
from collections.abc import Mapping as ByField
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from council_common.imports.column_binding import Column
from council_common.imports.dates import DateOrder, full_year
from council_common.imports.problems import Doubt, Problem, UnreadableFile, shown
from council_common.imports.record_source import Record

# Each begins with its separator, which the search looks for by itself: four times as quick as one pattern for all.
_SEPARATED: Final = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (r"/\d\d?/\d\d", r"-(?<!\d{3}-)\d\d?-\d\d", r"\.\d\d?\.\d\d", r" \d\d? \d\d")
)
_SLASHED: Final = re.compile(r"(?:[A-Za-z]{3,9}\.?,? +)?(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})\b.*", re.ASCII)
_MOST_REMEMBERED: Final = 20_000
_SPREAD_MONTHS: Final = 3


@dataclass(slots=True)
class DateColumn:
    """What a column's dates say of their order: an example that has the day first, and one that has the month first.

    `name` is the field's. Dates that could be either are `open`: by order, the months they lie in and the latest.
    """

    name: str
    day_first: str | None = None
    month_first: str | None = None
    months: dict[DateOrder, set[tuple[int, int]]] = field(default_factory=lambda: {"dmy": set(), "mdy": set()})
    latest: dict[DateOrder, tuple[int, int, int]] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def see(self, text: str) -> None:
        """Take one more cell into account."""
        if text in self._seen or (match := _SLASHED.fullmatch(text.strip())) is None:
            return
        if len(self._seen) < _MOST_REMEMBERED:
            self._seen.add(text)
        first, second, year = int(match[1]), int(match[3]), full_year(match[4])
        if 12 < first <= 31 and second <= 12:
            self.day_first = self.day_first or text.strip()
        elif 12 < second <= 31 and first <= 12:
            self.month_first = self.month_first or text.strip()
        else:
            self._add("dmy", year, second, first)
            self._add("mdy", year, first, second)

    @property
    def proof(self) -> DateOrder | None:
        """The order that its dates prove; None where none does, or they contradict each other."""
        if (self.day_first is None) == (self.month_first is None):
            return None
        return "dmy" if self.day_first else "mdy"

    @property
    def is_contradictory(self) -> bool:
        """Whether one date has the day first and another the month."""
        return self.day_first is not None and self.month_first is not None

    @property
    def is_open(self) -> bool:
        """Whether it has dates that could be either, and none that decides."""
        return bool(self.latest) and self.day_first is None and self.month_first is None

    def _add(self, order: DateOrder, year: int, month: int, day: int) -> None:
        self.months[order].add((year, month))
        self.latest[order] = max(self.latest.get(order, (0, 0, 0)), (year, month, day))


@dataclass(frozen=True, slots=True)
class SettledDates:
    """The order of each column's dates, those that nothing decides (there the day is first), and the doubts."""

    orders: dict[str, DateOrder]
    undecided: list[str]
    doubts: list[Doubt]


def settle_dates(
    columns: ByField[str, DateColumn], *, known: ByField[str, DateOrder], past: Container[str], today: date
) -> SettledDates:
    """Decide the order of each column's dates, or ask.

    A date that can be read one way only decides for its column. Where none does, what is `known` of the sender does;
    else the day is first, as this country writes (HM Treasury's guidance on publishing spend asks for DD/MM/YYYY),
    unless something speaks against it: read day first the dates spread over months and month first they lie in one;
    another column of the file has the month first; or dates of a field that is `past` would lie ahead.
    """
    settled = SettledDates({}, [], [])
    month_first = next((column for column in columns.values() if column.proof == "mdy"), None)
    for name, column in columns.items():
        order = column.proof or known.get(name)
        against: str | None
        if column.is_contradictory:
            against = f"{shown(column.day_first or '')} has the day first, {shown(column.month_first or '')} the month"
        elif order is not None or not column.is_open:
            settled.orders[name] = order or "dmy"
            continue
        else:
            against = _against_day_first(column, month_first, today if name in past else None)
        if against:
            question = f"Is the day or the month first in {name}? {against[:1].upper()}{against[1:]}."
            settled.doubts.append(Doubt(name, ("dmy", "mdy"), question))
        else:
            settled.orders[name] = "dmy"
            settled.undecided.append(name)
    return settled


def _against_day_first(column: DateColumn, month_first: DateColumn | None, past_by: date | None) -> str | None:
    if len(column.months["mdy"]) == 1 and len(column.months["dmy"]) >= _SPREAD_MONTHS:
        return "read day first its dates spread over months, read month first they lie in one"
    if month_first is not None:
        return f"{month_first.name} has the month first, as in {shown(month_first.month_first or '')}"
    if past_by is not None and column.latest["mdy"] <= past_by.timetuple()[:3] < column.latest["dmy"]:
        return "read day first some of its dates are in the future, read month first none is"
    return None


def may_hold_dates_in_doubt(text: str) -> bool:
    """Whether a text may hold a date of which the day or the month could be first; without one, nothing is surveyed.

    >>> [may_hold_dates_in_doubt(text) for text in ("a,3/4/26,b", "a,03-04-2026", "a,2026-04-03,1.20", "3 April 2026")]
    [True, True, False, False]
    """
    return any(pattern.search(text) for pattern in _SEPARATED)


def survey_dates(records: Iterable[Record], columns: Sequence[Column]) -> dict[str, DateColumn]:
    """The evidence of each of these columns, from a whole file; up to where it breaks, if it does."""
    found = {column.field: DateColumn(column.field) for column in columns if column.index is not None}
    places: list[tuple[int, Callable[[str], None]]] = [
        (column.index, found[column.field].see) for column in columns if column.index is not None
    ]
    try:
        for _, _, cells, _ in records:
            if isinstance(cells, Problem):
                continue
            for index, see in places:
                if index < len(cells):
                    see(cells[index])
    except UnreadableFile:
        pass  # the reading will come to the same place, and say so
    return found
