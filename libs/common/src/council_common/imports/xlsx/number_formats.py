"""A number of a sheet as the text that the sheet shows: 0.2 under `0%` is 20%, 42 under `00000` is 00042.

Source: ECMA-376 part 1 §18.8.30 (numFmt) and §18.8.31 (numFmts, format codes). So that nothing is lost on the way,
digits that a format hides are kept (0.175 under `0%` is 17.5%), a minus that it hides is put back, and a day is
written 2026-03-31 whichever way round the format has it. A format that only groups or pads the number (`0.00`,
`#,##0`) leaves it as it is: a supplier's number in such a column has neither commas nor pence on the invoice.
"""

from collections.abc import Callable
from datetime import datetime, time
from decimal import Decimal
from typing import Final

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import from_excel

from council_common.imports.xlsx.format_codes import Section, sections_of

Shown = Callable[[float], str]
# Their currency is that of the viewer: where it matters, Excel declares the code in the file.
_LOCAL_CURRENCY: Final = frozenset({5, 6, 7, 8, 41, 42, 43, 44})
_MOST_REMEMBERED: Final = 2_000
_MOST_STYLES: Final = 200


class ShownNumbers(dict[str, str]):
    """Numbers as they are written in the file to what one format shows, remembered: columns repeat themselves.

    Raises ValueError for what is not a number.
    """

    def __init__(self, shown: Shown) -> None:
        super().__init__()
        self._shown = shown

    def __missing__(self, written: str) -> str:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[written] = text = self._shown(float(written))
        return text


class NumbersByStyle(dict[str | None, ShownNumbers]):
    """The numbers of each cell style; a style that the workbook does not declare shows them plainly."""

    def __init__(self, formats: list[Shown]) -> None:
        super().__init__()
        self._formats = formats

    def __missing__(self, style: str | None) -> ShownNumbers:
        index = int(style or 0)
        if len(self) >= _MOST_STYLES:
            self.clear()
        self[style] = numbers = ShownNumbers(self._formats[index] if index < len(self._formats) else plain)
        return numbers


def shown_by(format_id: int, code: str | None, epoch: datetime) -> Shown:
    """How a number format shows a number; `code` is None where the workbook does not declare the id."""
    if code is None:
        code = "General" if format_id in _LOCAL_CURRENCY else BUILTIN_FORMATS.get(format_id, "General")
    if is_date_format(code):
        counts_hours = is_timedelta_format(code)
        return lambda number: _moment(number, epoch, counts_hours=counts_hours)
    sections = sections_of(code)
    if all(section.is_plain for section in sections):
        return plain
    return lambda number: _shown(number, sections)


def plain(number: float) -> str:
    """The number itself. Excel keeps 15 significant digits of the binary value: 0.1 + 0.2 is 0.3 there.

    >>> plain(0.1 + 0.2), plain(1e20)
    ('0.3', '100000000000000000000')
    """
    text = format(number, ".15g")
    return text if "e" not in text else format(Decimal(text), "f")


def _moment(serial: float, epoch: datetime, *, counts_hours: bool) -> str:
    if serial < 0:
        return plain(serial)
    try:
        moment = from_excel(serial, epoch, timedelta=counts_hours)
    except (OverflowError, ValueError):
        return plain(serial)
    if isinstance(moment, datetime):
        return (moment.date() if moment.time() == time() else moment).isoformat()
    return str(moment)


def _shown(number: float, sections: list[Section]) -> str:
    section = sections[0]
    if number < 0 and len(sections) > 1:
        section = sections[1]
    elif number == 0 and len(sections) > 2:
        section = sections[2]
    if section.is_plain:
        return plain(number)
    text = section.shown(plain(abs(number)))
    if not any(map(str.isdigit, text)):
        # A dash for zero, or nothing at all: the number is there all the same.
        return plain(number)
    if number < 0 and (section is sections[0] or not section.has_minus):
        return f"-{text}"
    return text
