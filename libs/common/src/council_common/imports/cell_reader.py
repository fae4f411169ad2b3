"""One column's cells to values, remembering what was already read: columns repeat themselves."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, Literal

from council_common.imports.dates import EXPECTED, DateOrder, MonthDay, parse_date
from council_common.imports.problems import BadValue, shown
from council_common.imports.values import (
    MONEY_EXPECTED,
    PENCE_EXPECTED,
    clean_text,
    is_filler,
    parse_integer,
    parse_money,
    parse_pence,
)

Kind = Literal["text", "money", "pence", "integer", "date"]
Value = str | int | date | None

_BLANK_STARTS: Final = "\ufeff\u200b\u2003\u2009 \t\r\n\v\f\xa0#"
BLANK_WORDS: Final = frozenset({"-", "--", "–", "—", "£-", "£ -", "nil", "none", "n/a", "n.a.", "na", "no", "null"})
"""What people write into an amount or a date that there is not."""
_MOST_REMEMBERED: Final = 20_000
_LONGEST_REMEMBERED: Final = 120


class CellReader(dict[str, Value]):
    """A dictionary from cell text to value that reads what it does not hold yet.

    A hit costs one look-up in C, which is what makes a million lines quick; the size is bounded.
    `reader[text]` raises `BadValue` for a cell that cannot be read.
    """

    def __init__(
        self,
        *,
        field: str,
        kind: Kind,
        required: bool,
        default: str | None,
        blanks: tuple[str, ...],
        order: DateOrder,
        excel_serial: bool,
        max_length: int,
        values: Mapping[str, str],
        month_day: MonthDay | None,
    ) -> None:
        super().__init__()
        self.field = field
        self._required = required
        self._default = default
        self._blanks = frozenset(blank.casefold() for blank in blanks)
        self._max_length = max_length
        self._expected = EXPECTED[order] if kind == "date" else _EXPECTED[kind]
        self._values = values
        self._parse = _parser(kind, order, excel_serial, month_day)

    def __missing__(self, text: str) -> Value:
        value = self._read(text)
        if len(text) <= _LONGEST_REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[text] = value
        return value

    def _read(self, text: str) -> Value:
        # The empty text begins with "", which every text holds. Few cells begin like one that could be blank.
        if (text[:1] in _BLANK_STARTS or self._blanks) and self._is_blank(text):
            return self._blank()
        try:
            value = self._parse(text)
        except BadValue:
            if not self._required and text.strip(_BLANK_STARTS[:-1]).casefold() in BLANK_WORDS:
                return self._blank()
            raise
        if value.__class__ is str:
            if not value:
                return self._blank()
            if len(text) > self._max_length:
                expected = f"at most {self._max_length} characters"
                raise BadValue("text-too-long", f"{self.field} has {len(text)} characters", expected)
            if self._values:
                return self._values.get(str(value).casefold(), value)
        return value

    def _blank(self) -> Value:
        if self._default is not None:
            return self._parse(self._default)
        if self._required:
            raise BadValue("missing-value", f"{self.field} is blank", self._expected)
        return None

    def _is_blank(self, text: str) -> bool:
        stripped = text.strip(_BLANK_STARTS[:-1])
        if not stripped or stripped.casefold() in self._blanks:
            return True
        if not is_filler(stripped):
            return False
        if self._parse is clean_text:
            return True
        # `#N/A` where an amount or a date belongs is a broken formula, not an empty cell.
        raise BadValue("spreadsheet-error", f"{self.field} is {shown(stripped)}", self._expected)


_EXPECTED: Final[dict[str, str]] = {
    "text": "some text",
    "money": MONEY_EXPECTED,
    "pence": PENCE_EXPECTED,
    "integer": "a whole number, such as 42",
}
_PARSERS: Final[dict[str, Callable[[str], Value]]] = {
    "text": clean_text,
    "money": parse_money,
    "pence": parse_pence,
    "integer": parse_integer,
}


def _parser(kind: Kind, order: DateOrder, excel_serial: bool, month_day: MonthDay | None) -> Callable[[str], Value]:
    if kind != "date":
        return _PARSERS[kind]
    return lambda text: parse_date(text, order=order, excel_serial=excel_serial, month_day=month_day)
