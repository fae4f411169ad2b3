"""A record's own cells in one form, however they were written: what a line is known by, whatever is read of it.

A new mapping, a column that is recognised one day, a corrected header change nothing about it. Formats of numbers and
dates, quotes, encodings, blanks and the words for nothing are not part of it.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from council_common.imports.cell_reader import BLANK_WORDS
from council_common.imports.dates import DateOrder, parse_date
from council_common.imports.problems import BadValue
from council_common.imports.values import clean_text, parse_money

_MOST_REMEMBERED: Final = 20_000
_LONGEST_REMEMBERED: Final = 120
_LONGEST_DATE: Final = 30
_AMOUNT_STARTS: Final = frozenset("0123456789£(-+.\u2212")


class CanonicalCells(dict[str, str]):
    """A dictionary from cell text to its one form that works out what it does not hold yet; its size is bounded.

    `order` is that of the file's dates. What we wrote beside a line that came back (columns of `header` that begin with
    `_`) is left out; where the records are `arranged` (NDJSON), the order of their members is no part of them.
    `constants` are what was said for the whole file in the place of a column (its date): without them the records of
    two months would be equal.
    """

    def __init__(
        self, header: Sequence[str], *, order: DateOrder, arranged: bool, constants: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self._order = order
        self._arranged = arranged
        self._own = [index for index, name in enumerate(header) if not name.startswith("_")]
        self._all = len(self._own) == len(header)
        self._constants = "".join(f"{self[text]}\x1e" for text in constants)

    def __missing__(self, text: str) -> str:
        form = self._form(text)
        if len(text) <= _LONGEST_REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[text] = form
        return form

    def key(self, cells: Sequence[str]) -> str:
        """What a record is known by, as 32 hexadecimal digits; blank cells at its end do not count."""
        forms = [self[cell] for cell in (cells if self._all else self._own_of(cells))]
        if self._arranged:
            forms = sorted(filter(None, forms))
        whole = self._constants + "\x1f".join(forms).rstrip("\x1f")
        return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()

    def _own_of(self, cells: Sequence[str]) -> list[str]:
        return [cells[index] for index in self._own if index < len(cells)]

    def _form(self, text: str) -> str:
        """One cell.

        >>> forms = CanonicalCells((), order="dmy", arranged=False)
        >>> [forms[text] for text in ("100.00", "£1,234.5", "(7)", "0012", " - ", "2 March 2026", "02/03/26", " A  B ")]
        ['100', '1234.50', '-7', '0012', '', '2026-03-02', '2026-03-02', 'A B']
        """
        try:
            clean = clean_text(text)
        except BadValue:
            return text
        if not clean or clean.casefold() in BLANK_WORDS:
            return ""
        if clean.isascii() and clean.isdigit():
            return clean
        if clean[0] in _AMOUNT_STARTS:
            try:
                return _amount(parse_money(clean))
            except BadValue:
                pass
        if len(clean) <= _LONGEST_DATE and any(map(str.isdigit, clean)):
            try:
                return parse_date(clean, order=self._order).isoformat()
            except BadValue:
                pass
        return clean


def _amount(pence: int) -> str:
    pounds, rest = divmod(abs(pence), 100)
    sign = "-" if pence < 0 else ""
    return f"{sign}{pounds}.{rest:02}" if rest else f"{sign}{pounds}"
