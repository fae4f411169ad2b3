"""Excel workbooks to records: a stream from the archive to the rows, cells as the text that the sheet shows."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, islice
from typing import IO, Final

from council_common.imports.headers import find_header
from council_common.imports.limits import Limits
from council_common.imports.mapping import Mapping
from council_common.imports.problems import UnreadableFile
from council_common.imports.record_source import Record
from council_common.imports.xlsx.archive import EXPECTED, WorkbookArchive
from council_common.imports.xlsx.sheet_rows import SheetRow, sheet_rows
from council_common.imports.xlsx.workbook import open_workbook

_IN_MEMORY_BYTES: Final = 1024 * 1024


class XlsxRecords:
    """The records of the first visible sheet that holds anything.

    The line number is the row number as Excel shows it. The file is kept until the last row is read.
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
        self._rows = _open_sheet(chunks, limits)
        opening = list(islice(self._rows, limits.header_search_lines))
        header = find_header([cells if isinstance(cells, list) else [] for _, cells in opening], mapping, limits)
        self.binding = header.binding
        self.header_line = opening[header.first][0]
        self._behind = opening[header.first + header.records :]

    def __iter__(self) -> Iterator[Record]:
        width = self.binding.width
        for number, cells in chain(self._behind, self._rows):
            if number <= self._start_after:
                continue
            # A row ends with its last filled cell; the empty ones behind are fields of the record too.
            if isinstance(cells, list) and cells and len(cells) < width:
                cells.extend([""] * (width - len(cells)))
            yield number, number, cells, ""


def _open_sheet(chunks: Iterable[bytes], limits: Limits) -> Iterator[SheetRow]:
    with ExitStack() as opened:
        file = opened.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES))
        _spool(chunks, file, limits)
        rows = _first_sheet(WorkbookArchive(file, limits), limits)
        return _closing(opened.pop_all(), rows)


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


def _first_sheet(archive: WorkbookArchive, limits: Limits) -> Iterator[SheetRow]:
    """The rows of the sheet, its bytes checked, so that nothing of a broken file is imported."""
    workbook = open_workbook(archive, limits)
    for sheet in workbook.sheets:
        if not sheet.is_visible:
            continue
        archive.check(sheet.path)
        rows = sheet_rows(workbook, archive.pieces(sheet.path), limits)
        first = next(rows, None)
        if first is not None:
            return chain([first], rows)
    raise UnreadableFile("empty-file", "no visible sheet holds anything", EXPECTED)
