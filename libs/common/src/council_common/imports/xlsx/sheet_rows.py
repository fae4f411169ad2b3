"""A sheet's rows as a stream: numbered as Excel numbers them, every cell as the text that it shows."""

from collections.abc import Iterable, Iterator
from typing import Final

from council_common.imports.limits import Limits
from council_common.imports.problems import Problem, UnreadableFile
from council_common.imports.xlsx.archive import bomb, damaged
from council_common.imports.xlsx.number_formats import NumbersByStyle
from council_common.imports.xlsx.shared_texts import unescaped
from council_common.imports.xlsx.workbook import Workbook
from council_common.imports.xlsx.xml_stream import Attributes, stream

SheetRow = tuple[int, list[str] | Problem]
_DIGITS: Final = "0123456789"
# A row's number of more digits, or a column of more letters, is beyond any bound already.
_LONGEST: Final = 12
_MIDNIGHT: Final = "T00:00:00"


def sheet_rows(workbook: Workbook, pieces: Iterable[bytes], limits: Limits) -> Iterator[SheetRow]:
    """The rows down to the last that holds anything; an empty one has no cells.

    Raises `UnreadableFile`, also while iterating: `sheet-too-large` at the first cell beyond the limits.
    """
    sheet = _Sheet(workbook, limits)
    starts = {
        "row": sheet.start_row, "c": sheet.start_cell, "v": sheet.start_text, "t": sheet.start_text,
        "rPh": sheet.start_phonetic,
    }  # fmt: skip
    ends = {
        "row": sheet.end_row, "c": sheet.end_cell, "v": sheet.end_text, "t": sheet.end_text,
        "rPh": sheet.end_phonetic,
    }  # fmt: skip
    last = 0
    for _ in stream(pieces, starts=starts, ends=ends, text=sheet.add_text):
        for number, cells in sheet.taken():
            for empty in range(last + 1, number):
                yield empty, []
            yield number, cells
            last = number


class _Sheet:
    """Where the stream of a sheet stands: the row and the cell that are open, and the rows that are complete.

    Source: ECMA-376 part 1 §18.3.1.73 (row) and §18.3.1.4 (c): rows and cells need not say where they stand.
    """

    def __init__(self, workbook: Workbook, limits: Limits) -> None:
        self._texts = workbook.texts
        self._numbers = NumbersByStyle(workbook.formats)
        self._limits = limits
        self._rows: list[SheetRow] = []
        self._row = self._column = self._widest = 0
        self._row_name: str | None = None
        self._cells: list[str] = []
        self._columns: dict[str, int] = {}
        self._row_chars = self._all_chars = 0
        self._cell: Attributes | None = None
        self._text: list[str] = []
        self._takes_text = self._is_phonetic = False

    def taken(self) -> list[SheetRow]:
        """The rows that were completed since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def start_row(self, attributes: Attributes) -> None:
        """Rows come in their order; one without a number is the next."""
        self._row_name = attributes.get("r")
        number = self._row + 1 if self._row_name is None else _row_number(self._row_name)
        if number <= self._row:
            raise damaged(f"row {number:,} stands behind row {self._row:,}")
        self._row, self._column, self._row_chars, self._cells = number, 0, 0, []
        self._bound(number, 0)

    def end_row(self) -> None:
        """A row that holds nothing counts as one that is not there."""
        cells, most = self._cells, self._limits.record_chars
        self._all_chars += self._row_chars
        if self._all_chars > self._limits.workbook_text_chars:
            found = f"{self._all_chars:,} characters of text when every cell is written out"
            raise bomb(found, f"at most {self._limits.workbook_text_chars:,}")
        while cells and not cells[-1]:
            cells.pop()
        if self._row_chars > most:
            problem = Problem("", "record-too-long", "the row holds too much text", f"at most {most:,} characters")
            self._rows.append((self._row, problem))
        elif cells:
            self._rows.append((self._row, cells))

    def start_cell(self, attributes: Attributes) -> None:
        """A cell without a place stands behind the one before it."""
        place = attributes.get("r")
        if place is None:
            column = self._column + 1
        else:
            letters = place.rstrip(_DIGITS)
            row = place[len(letters) :]
            column = self._columns.get(letters) or self._column_of(letters)
            if row != self._row_name and (number := _row_number(row)) != self._row:
                self._bound(number, column)
                raise damaged(f"cell {place[:20]} stands in row {self._row:,}")
        if column > self._widest:
            self._bound(self._row, column)
        self._column, self._cell = column, attributes
        self._text.clear()

    def end_cell(self) -> None:
        """The cell's text goes to its column; a row beyond its bound keeps no more texts."""
        attributes, self._cell = self._cell, None
        if attributes is None or not self._text:
            return
        written = "".join(self._text)
        kind = attributes.get("t", "n")
        if kind == "n":
            shown = self._number(attributes.get("s"), written)
        elif kind == "s":
            shown = self._shared(written)
        else:
            shown = _own_text(kind, written)
        cells, column = self._cells, self._column
        missing = column - len(cells) - 1
        if missing < 0:
            cells[column - 1] = shown
            return
        if missing:
            cells.extend([""] * missing)
        cells.append(shown)

    def start_text(self, _: Attributes) -> None:
        """A cell's value or a run of its own text begins."""
        self._takes_text = self._cell is not None and not self._is_phonetic

    def end_text(self) -> None:
        """What follows is no text of the cell's."""
        self._takes_text = False

    def start_phonetic(self, _: Attributes) -> None:
        """How an East Asian word is spoken is no part of the cell's text."""
        self._is_phonetic = True

    def end_phonetic(self) -> None:
        """The text goes on."""
        self._is_phonetic = False

    def add_text(self, text: str) -> None:
        """Text of the open cell; what is beyond the row's bound is counted and let go."""
        if self._takes_text:
            self._row_chars += len(text)
            if self._row_chars <= self._limits.record_chars:
                self._text.append(text)

    def _shared(self, written: str) -> str:
        try:
            text = self._texts.text(int(written), self._limits.record_chars - self._row_chars)
        except ValueError:
            raise damaged(f"{written[:20]!r} is not the number of a text") from None
        if text is None:
            self._row_chars = self._limits.record_chars + 1
            return ""
        self._row_chars += len(text)
        return text

    def _number(self, style: str | None, written: str) -> str:
        try:
            return self._numbers[style][written]
        except ValueError:
            raise damaged(f"a number cell of row {self._row:,} holds {written[:20]!r}") from None

    def _column_of(self, letters: str) -> int:
        if not (letters.isascii() and letters.isalpha()):
            raise damaged(f"a cell of row {self._row:,} stands in column {letters[:20]!r}")
        number = 0
        for letter in letters[:_LONGEST].upper():
            number = number * 26 + ord(letter) - 64
        if number <= self._limits.columns:
            self._columns[letters] = number
        return number

    def _bound(self, row: int, column: int) -> None:
        limits = self._limits
        self._widest = widest = max(self._widest, column)
        if row > limits.workbook_rows or widest > limits.columns:
            found = f"the sheet reaches to row {row:,}, column {widest:,}"
            most = f"at most {limits.workbook_rows:,} rows and {limits.columns:,} columns"
            raise UnreadableFile("sheet-too-large", found, most)
        if row * widest > limits.workbook_cells:
            found = f"the sheet spans {row:,} rows by {widest:,} columns"
            most = f"at most {limits.workbook_cells:,} cells; send large files as CSV"
            raise UnreadableFile("sheet-too-large", found, most)


def _row_number(digits: str) -> int:
    number = digits.lstrip("0")[:_LONGEST]
    if not (number.isascii() and number.isdigit()):
        raise damaged(f"{digits[:20]!r} is not the number of a row")
    return int(number)


def _own_text(kind: str, written: str) -> str:
    """The text of a cell that holds a truth value, a date in ISO 8601, an error or its own text."""
    if kind == "b":
        return "true" if written.strip() == "1" else "false"
    if kind == "d":
        return written.removesuffix(_MIDNIGHT)
    return unescaped(written)
