"""Refused records: what is wrong with each, and a file to correct and send again.

The refused file carries each record exactly as it was sent, behind three columns that say which line it was and
what is wrong. They stand in front, so that a record with too many fields cannot push them aside. On re-import
columns beginning with `_` are no data, and `_line` gives the record its original number back.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from council_common.imports.binding import LINE_COLUMN
from council_common.imports.ndjson_lines import RAW_KEY
from council_common.imports.problems import Problem

FIELD_COLUMN = "_field"
PROBLEM_COLUMN = "_problem"


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
        return ", ".join(dict.fromkeys(one.field for one in self.problems if one.field))

    @property
    def code(self) -> str:
        """The first problem's stable code."""
        return self.problems[0].code

    @property
    def problem(self) -> str:
        """All problems as one sentence."""
        return "; ".join(one.problem for one in self.problems)

    @property
    def expected(self) -> str:
        """What would have been accepted, once per kind."""
        return "; ".join(dict.fromkeys(one.expected for one in self.problems))


def refused_csv(refusals: Iterable[Refusal], *, header: Sequence[str], delimiter: str = ",") -> Iterator[bytes]:
    """The refused file of a CSV or XLSX import, line by line, in UTF-8 with a mark so that Excel reads it.

    `header` and `delimiter` are those of the reading. Records are not defused against formulas: they are the
    sender's own, and have to come back unchanged.
    """
    yield b"\xef\xbb\xbf"
    yield csv_line([LINE_COLUMN, FIELD_COLUMN, PROBLEM_COLUMN, *header], delimiter).encode()
    for one in refusals:
        said = csv_line([str(one.line_number), one.field, _sentence(one)], delimiter)
        yield f"{said[:-2]}{delimiter}{one.raw}\r\n".encode()


def refused_ndjson(refusals: Iterable[Refusal]) -> Iterator[bytes]:
    """The refused file of an NDJSON import. A line that is no JSON object comes back as text under `_raw`."""
    for one in refusals:
        said = {
            LINE_COLUMN: one.line_number,
            FIELD_COLUMN: one.field,
            PROBLEM_COLUMN: _sentence(one),
        }
        bare = _own_members(one.raw)
        if bare is None:
            yield (json.dumps({**said, RAW_KEY: one.raw}, ensure_ascii=False) + "\n").encode()
        else:
            head = json.dumps(said, ensure_ascii=False)[:-1]
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


def _own_members(raw: str) -> str | None:
    """The text between a JSON object's braces, None when the text is no object or was marked before."""
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or any(key.startswith("_") for key in record):
        return None
    return raw.strip()[1:-1].strip()
