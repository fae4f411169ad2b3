"""Delimited text to records: exact line numbers, the raw text of each record, and no endless quote."""

import csv
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import Final

from council_common.imports.headers import Header, find_header
from council_common.imports.limits import Limits
from council_common.imports.mapping import Mapping
from council_common.imports.physical_lines import PhysicalLines
from council_common.imports.problems import Problem, UnreadableFile
from council_common.imports.record_source import Record

DELIMITERS: Final = (",", ";", "\t", "|")
# Fed to the csv reader after the last line: it comes out as a record of its own unless a quote is open.
_END: Final = "\0end of file\0"


class CsvRecords:
    """The records behind the header of a delimited file; the delimiter is the one by which the header makes sense.

    Quoted fields may hold delimiters, quotes (doubled) and line ends. A record that begins on line 12 has number
    12 however many lines it takes. Raises `UnreadableFile`, also while iterating.
    """

    sheet = None

    def __init__(self, lines: PhysicalLines, mapping: Mapping, limits: Limits, *, start_after_line: int) -> None:
        self._lines = lines
        self._limits = limits
        self._blocks = lines.blocks()
        opening = next(self._blocks, [])
        found, header = _opening(opening, mapping, limits)
        self.delimiter = found.delimiter
        self.binding = header.binding
        self.header_line = found.starts[header.first]
        self._line = found.starts[header.first + header.records] - 1
        behind = opening[self._line :]
        if start_after_line > self._line:
            behind = behind[start_after_line - self._line :]
            lines.skip_through = self._line = start_after_line
        self._blocks = chain([behind], self._blocks)
        self._pending: list[str] = []

    def __iter__(self) -> Iterator[Record]:
        reader = csv.reader(self._feed(), delimiter=self.delimiter)
        pending = self._pending
        last = self._line
        while True:
            problem = None
            try:
                cells = next(reader)
            except csv.Error as error:
                problem = self._too_long(error)
            first, last = last + 1, last + len(pending)
            raw = pending[0] if len(pending) == 1 else "".join(pending)
            if raw.endswith(_END):
                if raw != _END:
                    raise self._open_quote("the end of the file")
                return
            pending.clear()
            if self._lines.saw_nul and "\0" in raw:
                problem = Problem("", "nul-byte", "the record holds a NUL byte", "text without NUL bytes")
            yield first, last, problem or cells, raw
            self._line = last

    def _feed(self) -> Iterator[str]:
        pending = self._pending
        for block in self._blocks:
            for line in block:
                pending.append(line)
                if len(pending) > 1:
                    self._bound_quote()
                yield line
        pending.append(_END)
        yield _END

    def _bound_quote(self) -> None:
        too_many = len(self._pending) > self._limits.record_lines
        if too_many or sum(map(len, self._pending)) > self._limits.record_chars:
            raise self._open_quote(f"line {self._line + len(self._pending)}")

    def _open_quote(self, until: str) -> UnreadableFile:
        opened, inside = self._line + 1, False
        for number, text in enumerate(self._pending, start=self._line + 1):
            if text.count('"') % 2:
                inside = not inside
                opened = number if inside else opened
        return UnreadableFile(
            "quote-never-closed",
            f"a quote opened in line {opened} is not closed up to {until}",
            f'a closing quote within {self._limits.record_lines:,} lines; a quote inside a field is written ""',
        )

    def _too_long(self, error: csv.Error) -> Problem:
        if len(self._pending) > 1:
            raise self._open_quote(f"line {self._line + len(self._pending)}") from error
        return Problem("", "malformed-record", f"the record cannot be read: {error}", "delimited fields")


class _Opening:
    """A file's first lines cut with one delimiter; `starts` has one entry more than `records`."""

    def __init__(self, lines: list[str], delimiter: str, limits: Limits) -> None:
        self.delimiter = delimiter
        self.records: list[list[str]] = []
        self.starts = [1]
        reader = csv.reader(lines[: limits.header_search_lines], delimiter=delimiter)
        # A field beyond the csv module's bound ends the search, not the reading: its record is refused later.
        with suppress(csv.Error):
            for cells in reader:
                self.records.append(cells)
                self.starts.append(reader.line_num + 1)

    @property
    def columns(self) -> int:
        """How many columns the delimiter makes: with the wrong one, a line is one long name."""
        return max(map(len, self.records), default=0)


def _opening(lines: list[str], mapping: Mapping, limits: Limits) -> tuple[_Opening, Header]:
    """The delimiter under which the file has the mapping's header, those that make most columns tried first."""
    if not lines:
        raise UnreadableFile("empty-file", "the file holds no text", "a header line and records")
    refusals = []
    openings = [_Opening(lines, delimiter, limits) for delimiter in DELIMITERS]
    openings.sort(key=lambda opening: -opening.columns)
    for by_name in (True, False):
        for opening in openings:
            try:
                return opening, find_header(opening.records, mapping, limits, by_name=by_name)
            except UnreadableFile as refusal:
                refusals.append(refusal)
    raise refusals[0]
