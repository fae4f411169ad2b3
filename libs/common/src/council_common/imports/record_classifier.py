"""What becomes of a record: accepted, refused with reasons, or skipped as blank, header or total."""

import re
from typing import Final

from council_common.imports.batches import Batch, Counts, Total
from council_common.imports.column_binding import LINE_COLUMN, ColumnBinding
from council_common.imports.headers import repeats
from council_common.imports.problems import Problem, RefusedRecord, shown
from council_common.imports.refusals import Refusal, csv_line, without_nul
from council_common.imports.values import is_filler

_TOTAL_LABEL: Final = re.compile(
    r"(?:grand |sub[- ]?|net |report |overall |page |monthly )?totals?(?: (?:amount|paid|payments?|spend))?"
    r"(?: (?:for|of) .{1,40})?:?",
    re.IGNORECASE,
)


class RecordClassifier:
    """Fills the current `batch` of one reading and keeps its counts.

    Only a record that cannot be accepted is looked at twice: a total or a repeated header lacks what every
    payment has, so good records pay nothing for the search. Where `arranged` (NDJSON) the cells are only those
    that were mapped, so that a record of other keys would look blank: there nothing but an empty line is skipped.
    """

    def __init__(
        self, binding: ColumnBinding, counts: Counts, *, arranged: bool, totals: bool, keep_cells: bool
    ) -> None:
        self.batch = Batch()
        self._arranged = arranged
        self._totals = totals
        self._keep_cells = keep_cells
        self._binding = binding
        self._counts = counts
        self._take = binding.take
        self._figures = {
            column.index
            for column in binding.columns
            if column.index is not None and column.kind not in ("text", "integer")
        }
        self._needed = {column.index for column in binding.columns if column.index is not None and column.is_needed}
        first = binding.header[0] if binding.header else ""
        self._head = first if not arranged and first.strip() else None

    def closed(self) -> Batch:
        """The batch as far as it got; a new one begins."""
        batch, self.batch = self.batch, Batch()
        return batch.closed(self._counts)

    def classify(self, first: int, last: int, cells: list[str] | Problem, raw: str) -> None:
        """Put a record where it belongs."""
        batch, binding, counts = self.batch, self._binding, self._counts
        batch.last_line = last
        if isinstance(cells, Problem):
            self._refuse(first, (cells,), [], raw)
            return
        if (not cells or cells[0] == self._head) and self._skipped(first, cells, raw):
            return
        try:
            row = self._take(cells)
            number = first if binding.line_index is None else _original_line(cells[binding.line_index], first)
        except RefusedRecord as refused:
            if not self._skipped(first, cells, raw):
                self._refuse(first, refused.problems, cells, raw)
            return
        batch.lines.append(number)
        batch.rows.append(row)
        if self._keep_cells:
            batch.cells.append(cells)
        counts.accepted += 1
        if binding.amount_index is not None and isinstance(amount := row[binding.amount_index], int):
            counts.accepted_pence += amount

    def _skipped(self, first: int, cells: list[str], raw: str) -> bool:
        counts = self._counts
        if self._arranged and cells:
            return False
        if self._is_blank(cells):
            counts.blank += 1
        elif repeats(self._binding, cells):
            counts.repeated_headers += 1
        elif (amount := self._total(cells)) is not None:
            counts.totals += 1
            self.batch.totals.append(Total(first, amount, counts.accepted_pence + counts.refused_pence))
        elif self._is_filler(cells, raw):
            counts.fillers += 1
        else:
            return False
        return True

    def _is_filler(self, cells: list[str], raw: str) -> bool:
        """A heading, a note or a filler between records: no date, no amount, and nothing else that a record needs.

        A line that breaks off where the file does may have been a record.
        """
        filled = {index for index, cell in enumerate(cells) if not is_filler(cell)}
        if len(filled) == 1:
            [place] = filled
            if place in self._figures and any(map(str.isdigit, cells[place])):
                return False
        elif filled & (self._figures | self._needed):
            return False
        return len(cells) >= self._binding.width or raw.endswith(("\n", "\r"))

    def _is_blank(self, cells: list[str]) -> bool:
        """Blank, or nothing but one number in a column that is not mapped: a spreadsheet's numbered empty rows."""
        filled = [index for index, cell in enumerate(cells) if not is_filler(cell)]
        if len(filled) != 1 or not cells[filled[0]].strip().isdigit():
            return not filled
        return all(column.index != filled[0] for column in self._binding.columns)

    def _total(self, cells: list[str]) -> int | None:
        """The amount of a record that has nothing else, or the word for a total and nothing that a record needs.

        With the word there may be sums of other columns, and of what it is the total.
        """
        binding = self._binding
        if not self._totals or binding.amount_index is None:
            return None
        index = binding.columns[binding.amount_index].index
        filled = {place: cell.strip() for place, cell in enumerate(cells) if place != index and not is_filler(cell)}
        labels = {place for place, cell in filled.items() if _TOTAL_LABEL.fullmatch(cell)}
        if filled and (not labels or (filled.keys() - labels) & self._needed):
            return None
        return binding.amount_of(cells)

    def _refuse(self, first: int, problems: tuple[Problem, ...], cells: list[str], raw: str) -> None:
        binding, counts = self._binding, self._counts
        number = first
        if binding.line_index is not None and binding.line_index < len(cells):
            cell = cells[binding.line_index].strip()
            number = int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 10 else first
        text = (raw or csv_line(cells)).rstrip("\r\n")
        self.batch.refusals.append(Refusal(number, problems, without_nul(text)))
        if self._keep_cells:
            self.batch.refused_cells.append(cells)
        counts.refused += 1
        counts.refused_pence += binding.amount_of(cells) or 0


def _original_line(cell: str, here: int) -> int:
    """The line number that a corrected record brings back; a record that the sender added has none."""
    text = cell.strip()
    if not text:
        return here
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        problem = Problem(LINE_COLUMN, "not-a-line-number", f"{shown(text)} is not a line number", "as it was sent")
        raise RefusedRecord((problem,))
    return int(text)
