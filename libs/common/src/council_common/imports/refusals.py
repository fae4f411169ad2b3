"""Refused records: what is wrong with each, and a file to correct and send again.

The refused file carries each record's cells as they were sent, behind three columns: which line it was, the fields and
what is wrong. They stand in front, so that a record with too many fields cannot push them aside. On re-import
columns beginning with `_` are no data, and `_line` gives the record its original number back. A cell that a spreadsheet
would compute is defused (`council_common.spreadsheet_cells`), and taken as it was sent when it comes back.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from council_common.imports.column_binding import LINE_COLUMN
from council_common.imports.ndjson_records import RAW_KEY
from council_common.imports.problems import Problem
from council_common.spreadsheet_cells import defused

FIELD_COLUMN = "_field"
PROBLEM_COLUMN = "_problem"
OUR_COLUMNS = (LINE_COLUMN, FIELD_COLUMN, PROBLEM_COLUMN)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One record that was not accepted. `raw` is its text as sent, without the line end, and never cut.

    `line_number` is that of the original file, also when the record came back in a corrected file.
    """

    line_number: int
    problems: tuple[Problem, ...]
    raw: str

    @property
    def field(self) -> str:
        """The fields concerned, comma-separated; empty when the record itself is malformed."""
        return ", ".join(dict.fromkeys(problem.field for problem in self.problems if problem.field))

    @property
    def code(self) -> str:
        """The first problem's stable code."""
        return self.problems[0].code

    @property
    def problem(self) -> str:
        """All problems as one sentence."""
        return "; ".join(problem.problem for problem in self.problems)

    @property
    def expected(self) -> str:
        """What would have been accepted, once per kind."""
        return "; ".join(dict.fromkeys(problem.expected for problem in self.problems))


def refused_csv(refusals: Iterable[Refusal], *, header: Sequence[str], delimiter: str = ",") -> Iterator[bytes]:
    """The refused file of a CSV or XLSX import, line by line, in UTF-8 with a mark so that Excel reads it.

    `header` and `delimiter` are those of the reading.
    """
    # A line refused again: what we wrote beside it the last time is not written twice.
    ours = {place for place, name in enumerate(header) if name.strip() in OUR_COLUMNS}
    yield b"\xef\xbb\xbf"
    yield csv_line([*OUR_COLUMNS, *_without(ours, header)], delimiter).encode()
    for refusal in refusals:
        front = (str(refusal.line_number), refusal.field, _sentence(refusal))
        behind = _without(ours, cells_of(refusal.raw, delimiter))
        yield csv_line(map(defused, [*front, *behind]), delimiter).encode()


def _without(places: set[int], cells: Iterable[str]) -> list[str]:
    return [cell for place, cell in enumerate(cells) if place not in places]


def refused_ndjson(refusals: Iterable[Refusal]) -> Iterator[bytes]:
    """The refused file of an NDJSON import. A line that is no JSON object comes back as text under `_raw`."""
    for refusal in refusals:
        front = {
            LINE_COLUMN: refusal.line_number,
            FIELD_COLUMN: refusal.field,
            PROBLEM_COLUMN: _sentence(refusal),
        }
        raw = _as_sent(refusal.raw)
        bare = _own_members(raw)
        if bare is None:
            yield (json.dumps({**front, RAW_KEY: raw}, ensure_ascii=False) + "\n").encode()
        else:
            head = json.dumps(front, ensure_ascii=False)[:-1]
            yield f"{head}{', ' if bare else ''}{bare}}}\n".encode()


def refused_file(
    refusals: Iterable[Refusal],
    *,
    format: Literal["csv", "ndjson", "xlsx"],  # noqa: A002 - the same word as in `read_records`
    header: Sequence[str],
    delimiter: str = ",",
) -> Iterator[bytes]:
    """The refused records of an import in the format they came in; a workbook's as CSV."""
    if format == "ndjson":
        return refused_ndjson(refusals)
    return refused_csv(refusals, header=header, delimiter=delimiter)


def csv_line(cells: Iterable[str], delimiter: str = ",") -> str:
    """One record as CSV text, with its CRLF."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerow(cells)
    return out.getvalue()


def _sentence(refusal: Refusal) -> str:
    return f"{refusal.problem} - expected: {refusal.expected}"


def without_nul(text: str) -> str:
    """The text with NUL shown as U+2400, because no database stores the character itself.

    >>> without_nul("A\\0B")
    'A␀B'
    """
    return text.replace("\0", "\u2400")


def cells_of(raw: str, delimiter: str) -> list[str]:
    """The cells of one record's text.

    >>> cells_of('A1,"B, b",5" pipe', ",")
    ['A1', 'B, b', '5" pipe']
    """
    return next(csv.reader(io.StringIO(raw, newline=""), delimiter=delimiter), [])


def _as_sent(raw: str) -> str:
    """A line that was refused before, without what we wrote into it then; a key that stands twice stays twice."""
    try:
        record = _members(raw)
        while (broken := next((value for key, value in record if key == RAW_KEY), None)) is not None:
            raw = str(broken)
            record = _members(raw)
        if any(key in OUR_COLUMNS for key, _ in record):
            return _as_json(_Members(member for member in record if member[0] not in OUR_COLUMNS))
    except (ValueError, RecursionError):
        pass
    return raw


class _Members(list[tuple[str, Any]]):
    """The members of a JSON object in their order."""


def _members(raw: str) -> _Members:
    """Numbers are kept as the text they were written as. Raises ValueError where the text is no object."""
    record = json.loads(raw, object_pairs_hook=_Members, parse_float=str)
    if not isinstance(record, _Members):
        raise ValueError("no object")  # noqa: TRY004 - what was sent is wrong, not what was passed
    return record


def _as_json(value: Any) -> str:
    if isinstance(value, _Members):
        members = (f"{json.dumps(key, ensure_ascii=False)}: {_as_json(member)}" for key, member in value)
        return f"{{{', '.join(members)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_as_json, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _own_members(raw: str) -> str | None:
    """The text between a JSON object's braces, None when the text is no object."""
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    return raw.strip()[1:-1].strip()
