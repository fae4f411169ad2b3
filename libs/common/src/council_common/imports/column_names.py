"""Columns by their names and numbers, and what is said of a header that lacks one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from council_common.imports.problems import UnreadableFile

if TYPE_CHECKING:
    from council_common.imports.mapping import MappedField

_POSITION_MARK: Final = "#"
MOST_NAMED: Final = 30


@lru_cache(maxsize=8_192)
def same_name(column: str) -> str:
    """A column's name without capitals, spaces and punctuation: `Net Amount ` and `NetAmount` are the same.

    `#3` is the third column, whatever it is called.
    """
    if column[:1] == _POSITION_MARK and column[1:].isdecimal():
        return column
    return "".join(char for char in column.casefold() if char.isalnum())


def number_of(header: Sequence[str], index: int) -> int:
    """A column's number as a mapping names it, from 1; what we wrote in front of a corrected file is not counted."""
    return sum(not cell.startswith("_") for cell in header[: index + 1])


def places_of(header: Sequence[str]) -> dict[str, list[int]]:
    """Where each name stands, and each number: `_line`, `_field`, `_problem` of a corrected file are not counted."""
    places: dict[str, list[int]] = {}
    number = 0
    for index, cell in enumerate(header):
        if cell.startswith("_"):
            continue
        number += 1
        if name := same_name(cell):
            places.setdefault(name, []).append(index)
        places[f"{_POSITION_MARK}{number}"] = [index]
    return places


def named_in_vain(
    field: MappedField, places: dict[str, list[int]], taken: dict[int, str], header: Sequence[str]
) -> UnreadableFile:
    """The refusal of a mapping whose column is not there, or serves another field."""
    for name in field.columns:
        for index in places.get(same_name(name), ()):
            detail = f"the column {header[index].strip()!r} is named for {taken[index]} and for {field.name}"
            expected = f'a column for each, or "shared": [{name!r}] in the mapping where one says both'
            return UnreadableFile("one-column-for-two-fields", detail, expected)
    wanted = " or ".join(map(repr, field.columns))
    detail = f"the mapping names the column {wanted} for {field.name}; the header has {names_of(header)}"
    return UnreadableFile("named-column-missing", detail, "a mapping with the names that the file has")


def missing_columns(missing: Sequence[MappedField], header: Sequence[str]) -> UnreadableFile:
    """The refusal of a file that lacks columns, with the names by which they are known."""
    wanted = "; ".join(
        f"{field.name} (a column called {' or '.join(map(repr, field.columns[:MOST_NAMED]))})" for field in missing
    )
    detail = f"no column for {', '.join(field.name for field in missing)}; the header has {names_of(header)}"
    return UnreadableFile("missing-columns", detail, wanted)


def names_of(header: Sequence[str]) -> str:
    """A header's names, short enough for a sentence."""
    found = [cell.strip()[:60] for cell in header if cell.strip()]
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return (", ".join(map(repr, found[:MOST_NAMED])) or "no names") + more
