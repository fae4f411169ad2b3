"""One JSON object per line to records. Numbers stay the text they were written as, so that pence stay exact."""

import json
from collections.abc import Iterator
from typing import Any, Final, cast

from council_common.imports.column_binding import LINE_COLUMN, ColumnBinding
from council_common.imports.mapping import Mapping, same_name
from council_common.imports.physical_lines import PhysicalLines
from council_common.imports.problems import Problem, UnreadableFile, shown
from council_common.imports.record_source import Record

RAW_KEY: Final = "_raw"
_EXPECTED: Final = 'one JSON object per line, such as {"number": "A-1", "net": "12.50"}'


class NdjsonRecords:
    """The records of a file with one JSON object per line; keys match fields as CSV columns do.

    A value is text, a number, null or true/false; a nested object is reached as `supplier.name`. There is no
    header: a key that a record lacks is a blank cell, and a required value is then missing in that record.
    """

    delimiter = ","
    header_line = 0
    sheet = None

    def __init__(self, lines: PhysicalLines, mapping: Mapping, *, start_after_line: int) -> None:
        self._lines = lines
        lines.skip_through = self._line = start_after_line
        self.binding: ColumnBinding = mapping.bind_in_order(LINE_COLUMN)
        self._alternatives = [[same_name(name) for name in field.columns] for field in mapping.fields]
        self._known: dict[tuple[str, ...], list[str | None]] = {}

    def __iter__(self) -> Iterator[Record]:
        number = self._line
        for block in self._lines.blocks():
            for raw in block:
                number += 1
                if number == 1:
                    _refuse_array(raw)
                yield number, number, self._cells(raw) if not raw.isspace() else [], raw

    def _cells(self, raw: str) -> list[str] | Problem:
        try:
            return self._arranged(_object(raw))
        except _NotARecord as wrong:
            return Problem("", wrong.code, str(wrong), _EXPECTED)
        except json.JSONDecodeError as error:
            problem = f"the line is not JSON: {error.msg} at character {error.pos + 1}"
            return Problem("", "not-json", problem, _EXPECTED)
        except RecursionError:
            return Problem("", "nested-too-deeply", "the line is nested too deeply", _EXPECTED)

    def _arranged(self, record: dict[str, Any]) -> list[str]:
        keys = tuple(record)
        order = self._known.get(keys)
        if order is None:
            order = self._order(keys)
            if len(self._known) < 1_000:
                self._known[keys] = order
        cells = ["" if key is None else _text(key, record[key]) for key in order]
        cells.append(_text(LINE_COLUMN, record.get(LINE_COLUMN)))
        return cells

    def _order(self, keys: tuple[str, ...]) -> list[str | None]:
        names: dict[str, str] = {}
        for key in keys:
            if not key.startswith("_") and names.setdefault(same_name(key), key) != key:
                raise _NotARecord("ambiguous-keys", f"keys {names[same_name(key)]!r} and {key!r} are the same")
        # As with columns, a key serves one field only.
        return [next((names.pop(name) for name in some if name in names), None) for some in self._alternatives]


class _NotARecord(Exception):
    """A line that is JSON but no record."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def _object(raw: str) -> dict[str, Any]:
    record: Any = _load(raw)
    while isinstance(record, dict) and isinstance(broken := record.get(RAW_KEY), str):
        # A line that was no JSON came back in the refused file as text; here it is, corrected or not.
        record = {**_as_object(_load(broken)), LINE_COLUMN: record.get(LINE_COLUMN)}
    members = _as_object(record)
    if any(isinstance(value, dict) for value in members.values()):
        return dict(_flat(members, ""))
    return members


def _load(raw: str) -> Any:
    return json.loads(
        raw, parse_float=str, parse_int=str, parse_constant=_no_constant, object_pairs_hook=_without_doubles
    )


def _as_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _NotARecord("not-an-object", f"the line is {shown(str(value))}, not an object")
    return cast(dict[str, Any], value)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise _NotARecord("repeated-key", "the same key stands twice in one object")
    return record


def _no_constant(name: str) -> None:
    raise _NotARecord("not-a-number", f"{name} is not a number")


def _flat(record: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _text(key: str, value: Any) -> str:
    if value.__class__ is str:
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    raise _NotARecord("not-a-value", f"{shown(key)} holds a list")


def _refuse_array(first: str) -> None:
    if first.lstrip().startswith("["):
        raise UnreadableFile("json-array", "the file is one JSON array", _EXPECTED)
