"""Excel workbooks to records: a stream from the archive to the rows, cells as the text that the sheet shows."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from typing import IO, Final

from council_common.imports.headers import Header, find_header
from council_common.imports.limits import Limits
from council_common.imports.mapping import Mapping
from council_common.imports.problems import Doubt, UnreadableFile
from council_common.imports.record_source import Record
from council_common.imports.xlsx.archive import EXPECTED, WorkbookArchive
from council_common.imports.xlsx.sheet_rows import SheetRow, sheet_rows
from council_common.imports.xlsx.workbook import open_workbook

_IN_MEMORY_BYTES: Final = 1024 * 1024


class XlsxRecords:
    """The records of the visible sheet whose first rows name the mapping's columns, or of the one the mapping names.

    The line number is the row number as Excel shows it. The file is kept until the last row is read. Where several
    sheets have such a header, `binding` has a doubt.
    """

    delimiter = ","

    def __init__(
        self,
        chunks: Iterable[bytes],
        mapping: Mapping,
        limits: Limits,
        *,
        start_after_line: int,
    ) -> None:
        self._start_after = start_after_line
        with ExitStack() as opened:
            file = opened.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES))
            _spool(chunks, file, limits)
            chosen = _chosen_sheet(WorkbookArchive(file, limits), mapping, limits)
            self._rows = _closing(opened.pop_all(), chosen.rows)
        self.sheet = chosen.name
        self.binding = chosen.header.binding
        self.header_line = chosen.opening[chosen.header.first][0]
        self._behind = chosen.opening[chosen.header.first + chosen.header.records :]

    def __iter__(self) -> Iterator[Record]:
        width = self.binding.width
        for number, cells in chain(self._behind, self._rows):
            if number <= self._start_after:
                continue
            # A row ends with its last filled cell; the empty ones behind are fields of the record too.
            if isinstance(cells, list) and cells and len(cells) < width:
                cells.extend([""] * (width - len(cells)))
            yield number, number, cells, ""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet that was opened: its first rows and its header among them, and the rows behind."""

    name: str
    opening: list[SheetRow]
    header: Header
    rows: Iterator[SheetRow]


def _closing(opened: ExitStack, rows: Iterator[SheetRow]) -> Iterator[SheetRow]:
    with opened:
        yield from rows


def _spool(chunks: Iterable[bytes], file: IO[bytes], limits: Limits) -> None:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limits.workbook_bytes:
            most = f"workbooks of at most {limits.workbook_bytes:,} bytes; send larger files as CSV"
            raise UnreadableFile("workbook-too-large", f"the workbook has more than {size - 1:,} bytes", most)
        file.write(chunk)
    file.seek(0)


def _chosen_sheet(archive: WorkbookArchive, mapping: Mapping, limits: Limits) -> _Sheet:
    """The sheet to read, its bytes checked, so that nothing of a broken file is imported."""
    workbook = open_workbook(archive, limits)
    found: list[_Sheet] = []
    refusal: UnreadableFile | None = None
    visible = [sheet for sheet in workbook.sheets if sheet.is_visible]
    if mapping.sheet is not None:
        visible = [sheet for sheet in visible if sheet.name == mapping.sheet]
        if not visible:
            names = ", ".join(repr(sheet.name) for sheet in workbook.sheets if sheet.is_visible)
            raise UnreadableFile("sheet-not-found", f"the workbook has no sheet {mapping.sheet!r}", f"one of {names}")
    for sheet in visible:
        archive.check(sheet.path)
        rows = sheet_rows(workbook, archive.pieces(sheet.path), limits)
        opening = list(islice(rows, limits.header_search_lines))
        if not opening:
            continue
        try:
            records = [cells if isinstance(cells, list) else [] for _, cells in opening]
            found.append(_Sheet(sheet.name, opening, find_header(records, mapping, limits), rows))
        except UnreadableFile as wrong:
            refusal = refusal or wrong
    if not found:
        raise refusal or UnreadableFile("empty-file", "no visible sheet holds anything", EXPECTED)
    if len(found) > 1:
        names_found = tuple(sheet.name for sheet in found)
        question = f"Which sheet is meant: {' or '.join(names_found)}? Each has the columns."
        found[0].header.binding.doubts += (Doubt("sheet", names_found, question),)
    return found[0]
