"""Excel workbooks to records: guarded before they are opened, cells as the text a CSV file would have had."""

import tempfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, islice
from typing import IO, Final

import python_calamine

from council_common.imports.headers import find_header
from council_common.imports.limits import Limits
from council_common.imports.mapping import Mapping
from council_common.imports.problems import Problem, UnreadableFile
from council_common.imports.record_source import Record
from council_common.imports.xlsx_guard import EXPECTED, check_workbook

Cell = int | float | str | bool | time | date | datetime | timedelta
_IN_MEMORY_BYTES: Final = 1024 * 1024


class XlsxRecords:
    """The records of one sheet: the one named, or the first visible one that holds anything.

    The line number is the row number as Excel shows it. The sheet is held in memory within `limits`.
    """

    delimiter = ","

    def __init__(
        self,
        chunks: Iterable[bytes],
        mapping: Mapping,
        limits: Limits,
        *,
        sheet: str | None,
        start_after_line: int,
    ) -> None:
        self._start_after = start_after_line
        self._most_chars = limits.record_chars
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
            _spool(chunks, file, limits)
            check_workbook(file, limits)
            file.seek(0)
            found = _open_sheet(file, sheet)
        self.sheet: str | None = found.name
        self._rows = _numbered(found)
        opening = list(islice(self._rows, limits.header_search_lines))
        header = find_header([cells for _, cells in opening], mapping, limits)
        self.binding = header.binding
        self.preamble = header.first
        self.header_line = opening[header.first][0]
        self._behind = opening[header.first + header.records :]
        self.lines_read = opening[-1][0]

    def __iter__(self) -> Iterator[Record]:
        width = self.binding.width
        for number, cells in chain(self._behind, self._rows):
            self.lines_read = max(self.lines_read, number)
            if number <= self._start_after:
                continue
            # A sheet is as wide as its widest row: cells that nobody filled are no fields.
            while len(cells) > width and not cells[-1]:
                cells.pop()
            if sum(map(len, cells)) > self._most_chars:
                yield number, number, _too_long(self._most_chars), ""
            else:
                yield number, number, cells, ""


def _spool(chunks: Iterable[bytes], file: IO[bytes], limits: Limits) -> None:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limits.workbook_bytes:
            most = f"workbooks of at most {limits.workbook_bytes:,} bytes; send larger files as CSV"
            raise UnreadableFile("workbook-too-large", f"the workbook has more than {size - 1:,} bytes", most)
        file.write(chunk)
    file.seek(0)


def _open_sheet(file: IO[bytes], name: str | None) -> python_calamine.CalamineSheet:
    try:
        with python_calamine.CalamineWorkbook.from_filelike(file) as workbook:
            visible = [
                one.name
                for one in workbook.sheets_metadata
                if one.visible == python_calamine.SheetVisibleEnum.Visible
                and one.typ == python_calamine.SheetTypeEnum.WorkSheet
            ]
            if name is not None and name not in workbook.sheet_names:
                raise UnreadableFile("no-such-sheet", f"there is no sheet {name!r}", f"one of {visible}")
            for candidate in visible if name is None else [name]:
                sheet = workbook.get_sheet_by_name(candidate)
                if name is not None or sheet.total_height:
                    return sheet
    except python_calamine.PasswordError:
        raise UnreadableFile("encrypted-workbook", "the workbook has a password", EXPECTED) from None
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise UnreadableFile("damaged-workbook", f"the workbook cannot be read: {error}", EXPECTED) from None
    raise UnreadableFile("empty-file", "no visible sheet holds anything", EXPECTED)


def _numbered(sheet: python_calamine.CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(sheet.iter_rows(), start=1):
        yield number, [cell if cell.__class__ is str else _text(cell) for cell in row]


def _text(cell: Cell) -> str:
    """What a cell would be in a CSV file, exactly.

    Excel keeps 15 significant digits (ECMA-376 stores the binary value behind them): 0.1 + 0.2 is 0.3 there.
    """
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return format(Decimal(format(cell, ".15g")), "f")
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)


def _too_long(most: int) -> Problem:
    return Problem("", "record-too-long", "the row holds too much text", f"at most {most:,} characters")
