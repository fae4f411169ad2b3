"""What the files of a body were understood as, in a line for each reading that several files share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console


def understood(reading: dict[str, Any]) -> str:
    """A reading (that of an import) in words: the header's line, each field's column, and how dates are written.

    >>> understood({"header_line": 3, "columns": {"gross": {"name": "Amount", "number": 2, "found_by": "words"},
    ...             "paid_on": {"name": "Date", "number": 1, "found_by": "name"}}, "date_orders": {"paid_on": "dmy"},
    ...             "dates_undecided": ["paid_on"]})
    'header in line 3; gross = Amount (by words), paid_on = Date; paid_on dmy (no date decides it)'
    """
    columns = ", ".join(
        f"{field} = {column['name']}{_by(column['found_by'])}" for field, column in sorted(reading["columns"].items())
    )
    undecided = reading["dates_undecided"]
    dates = ", ".join(
        f"{field} {order}{' (no date decides it)' if field in undecided else ''}"
        for field, order in sorted(reading["date_orders"].items())
    )
    return "; ".join(filter(None, (f"header in line {reading['header_line']}", columns, dates)))


def show_readings(console: Console, readings: Mapping[str, Counter[str]]) -> None:
    """Print what each body's files were understood as, the commonest first."""
    console.print("\nWhat the files were understood as", style="bold")
    for body, counted in readings.items():
        console.print(f"  {body}", highlight=False)
        for words, files in counted.most_common():
            console.print(f"    {files:>3} {'file ' if files == 1 else 'files'}  {words}", highlight=False)


def _by(found_by: str) -> str:
    return "" if found_by == "name" else f" (by {found_by})"
