"""Which way round the dates of a column are written, decided from all of them before one is read.

`03/04/2026` alone says nothing; `24/04/2026` further down says that the column has the day first, and `4/24/2026` that
it has the month first. A column is read one way only: where its dates contradict each other its sender is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from council_common.imports.column_binding import Column
from council_common.imports.dates import DateOrder
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
    """What a column's dates say of their order: an example that has the day first, and one that has the month first."""

    name: str
    day_first: str | None = None
    month_first: str | None = None
    _seen: set[str] = field(default_factory=set)
    _months: dict[DateOrder, set[tuple[str, int]]] = field(default_factory=lambda: {"dmy": set(), "mdy": set()})

    def see(self, text: str) -> None:
        """Take one more cell into account."""
        if text in self._seen or (match := _SLASHED.fullmatch(text.strip())) is None:
            return
        if len(self._seen) < _MOST_REMEMBERED:
            self._seen.add(text)
        first, second, year = int(match[1]), int(match[3]), match[4]
        if 12 < first <= 31 and second <= 12:
            self.day_first = self.day_first or text.strip()
        elif 12 < second <= 31 and first <= 12:
            self.month_first = self.month_first or text.strip()
        else:
            self._months["dmy"].add((year, second))
            self._months["mdy"].add((year, first))

    @property
    def order(self) -> DateOrder | None:
        """The order of all of them; None where they contradict each other.

        Where no date decides it the day is first, as this country writes; unless the file would then spread over
        months and, read the other way, lies in one.
        """
        if self.day_first and self.month_first:
            return None
        if self.day_first or self.month_first:
            return "dmy" if self.day_first else "mdy"
        in_one_month = len(self._months["mdy"]) == 1 and len(self._months["dmy"]) >= _SPREAD_MONTHS
        return None if in_one_month else "dmy"

    @property
    def doubt(self) -> Doubt:
        """The question, where there is no order."""
        if self.day_first and self.month_first:
            found = f"{shown(self.day_first)} has the day first, {shown(self.month_first)} the month"
        else:
            found = "read day first its dates spread over months, read month first they lie in one"
        question = f"Is the day or the month first in {self.name}? {found}."
        return Doubt(self.name, ("dmy", "mdy"), question)


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
