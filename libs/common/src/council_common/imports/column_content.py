"""What a column holds, by its first cells: where names leave a choice, content may settle it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from council_common.imports.cell_reader import BLANK_WORDS, Kind
from council_common.imports.values import is_filler

_AMOUNT: Final = re.compile(r"[-+(£€$\s]*\d[\d.,\s]*[-)\s]*(?:CR|DR)?\s*", re.IGNORECASE)
_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DATE: Final = re.compile(
    rf"(?:[a-z]{{3,9}}\.?,?\s+)?(?:\d{{1,4}}[-/. ]\d{{1,2}}[-/. ]\d{{1,4}}|(?:19|20)\d{{6}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?[-/. ]+(?:{_MONTHS})[a-z]*\.?,?[-/. ]+\d{{2,4}}"
    rf"|(?:{_MONTHS})[a-z]*\.?[-/ ]+(?:\d{{1,2}}(?:st|nd|rd|th)?,? )?\d{{2,4}})(?:[T ]\d{{1,2}}:.*)?",
    re.ASCII | re.IGNORECASE,
)
_PENCE: Final = re.compile(r"\d[.,]\d\d(?:\D|$)")
_LETTERS: Final = re.compile(r"[^\W\d_]{3}")


@dataclass(slots=True)
class ColumnContent:
    """How many of a column's first cells are filled, and with what."""

    filled: int = 0
    dates: int = 0
    amounts: int = 0
    pounds_and_pence: int = 0
    names: int = 0

    @classmethod
    def of(cls, cells: Iterable[str]) -> ColumnContent:
        """From a column's cells; words that mean blank count as blank."""
        content = cls()
        for cell in cells:
            text = cell.strip()
            if is_filler(text) or text.casefold() in BLANK_WORDS:
                continue
            content.filled += 1
            if _DATE.fullmatch(text):
                content.dates += 1
            elif _AMOUNT.fullmatch(text):
                content.amounts += 1
                content.pounds_and_pence += _PENCE.search(text) is not None
            elif _LETTERS.search(text):
                content.names += 1
        return content

    def holds(self, kind: Kind, *, names: bool = False) -> bool:
        """Whether most of it is of this kind; of nothing nothing is said."""
        if kind == "date":
            return 0 < self.filled <= 2 * self.dates
        if kind in ("money", "pence", "integer"):
            return 0 < self.filled <= 2 * self.amounts
        return 0 < self.filled <= 2 * self.names if names else self.filled > 0

    def may_hold(self, kind: Kind, *, names: bool = False) -> bool:
        """Whether nothing speaks against it: a text of nothing but dates, or of pounds and pence, is none."""
        if not self.filled or kind != "text":
            return not self.filled or self.holds(kind)
        if names:
            return self.holds(kind, names=True)
        return max(self.dates, self.pounds_and_pence) < self.filled

    @property
    def shown(self) -> str:
        """In a word, for a question."""
        if not self.filled:
            return "nothing"
        kinds = {"dates": self.dates, "amounts or numbers": self.amounts, "words": self.names}
        most = max(kinds, key=lambda kind: kinds[kind])
        return most if 2 * kinds[most] >= self.filled else "various"
