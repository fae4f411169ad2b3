"""Text in a spreadsheet's cells: shown and never computed, and the same again when the sheet comes back."""

from __future__ import annotations

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A spreadsheet computes a cell that begins like this, or like its full-width form (OWASP, "CSV Injection")."""

_NUMBER = re.compile(r"[+-]?[0-9][0-9,]*(\.[0-9]+)?")
_DEFUSED = tuple(f"'{start}" for start in (*FORMULA_STARTS, "'"))


def defused(cell: str) -> str:
    """A sender's cell as it can be opened: an apostrophe before what would be computed; a plain number stays one.

    `as_sent` takes it away again, from these cells only: a cell that looks like one of them gets one more.

    >>> defused("=1+1"), defused("-12.50"), defused("'s-Hertogenbosch"), defused("'=1+1")
    ("'=1+1", '-12.50', "'s-Hertogenbosch", "''=1+1")
    """
    computed = cell.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if computed or cell.startswith(_DEFUSED) else cell


def as_sent(cell: str) -> str:
    """A cell of a file that was downloaded from here, as its sender wrote it.

    >>> as_sent("'=1+1"), as_sent("''=1+1"), as_sent("'s-Hertogenbosch")
    ('=1+1', "'=1+1", "'s-Hertogenbosch")
    """
    return cell[1:] if cell.startswith(_DEFUSED) else cell
