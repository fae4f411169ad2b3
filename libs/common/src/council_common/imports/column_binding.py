"""A mapping tied to one file's header: cells in, a tuple of values out."""

from collections.abc import Sequence
from dataclasses import dataclass

from council_common.imports.cell_reader import CellReader, Kind, Value
from council_common.imports.problems import BadValue, Doubt, Problem, RefusedRecord
from council_common.imports.recognition import Why
from council_common.imports.values import is_filler

Row = tuple[Value, ...]
LINE_COLUMN = "_line"


@dataclass(frozen=True, slots=True)
class Column:
    """Where a field stands: `source` is the accepted name that matched, None when the file has no such column.

    `why` says how it was found. `is_needed`: the file has to have it.
    """

    field: str
    source: str | None
    index: int | None
    reader: CellReader
    why: Why | None = None
    kind: Kind = "text"
    is_needed: bool = False


class ColumnBinding:
    """Reads the records of one file. `columns` says which column each field was taken from.

    Where there are `doubts` its sender has to be asked before a record is read.
    """

    def __init__(
        self,
        *,
        columns: tuple[Column, ...],
        header: Sequence[str],
        amount: str | None,
        extra_cells: str,
        doubts: tuple[Doubt, ...] = (),
    ) -> None:
        self.columns = columns
        self.doubts = doubts
        self.header = tuple(header)
        self.width = max((i + 1 for i, cell in enumerate(header) if cell.strip()), default=0)
        self.line_index = next((i for i, cell in enumerate(header) if cell.strip() == LINE_COLUMN), None)
        self.amount_index = next((i for i, column in enumerate(columns) if column.field == amount), None)
        self._ignore_extra = extra_cells == "ignore"
        # `take` appends an empty cell to every record: index -1 is the column that the file does not have.
        self._plan = [(-1 if column.index is None else column.index, column.reader) for column in columns]

    def source_of(self, field: str) -> str | None:
        """The column a field is read from, by its accepted name; None when the file has no such column."""
        return next(column.source for column in self.columns if column.field == field)

    def take(self, cells: list[str]) -> Row:
        """The record's values, in the mapping's order. Raises `RefusedRecord` with every problem found."""
        if len(cells) != self.width:
            cells = self._fitted(cells)
        cells.append("")
        try:
            return tuple([reader[cells[index]] for index, reader in self._plan])
        except BadValue:
            raise RefusedRecord(self._problems(cells)) from None
        finally:
            cells.pop()

    def amount_of(self, cells: list[str]) -> int | None:
        """The amount of a record that may be otherwise unreadable, so that a file's sum can be checked."""
        if self.amount_index is None:
            return None
        column = self.columns[self.amount_index]
        if column.index is None or column.index >= len(cells):
            return None
        try:
            amount = column.reader[cells[column.index]]
        except BadValue:
            return None
        return amount if isinstance(amount, int) else None

    def _fitted(self, cells: list[str]) -> list[str]:
        found = len(cells)
        if found < self.width:
            raise _wrong_count("too-few-fields", found, self.width)
        if not self._ignore_extra and not all(map(is_filler, cells[self.width :])):
            raise _wrong_count("too-many-fields", found, self.width)
        return cells[: self.width]

    def _problems(self, cells: list[str]) -> tuple[Problem, ...]:
        problems = []
        for index, reader in self._plan:
            try:
                reader[cells[index]]
            except BadValue as bad:
                problems.append(Problem(reader.field, bad.code, bad.problem, bad.expected))
        return tuple(problems)


def _wrong_count(code: str, found: int, width: int) -> RefusedRecord:
    problem = f"the record has {found} fields, the header has {width}"
    hint = "a value with a comma in it has to stand in quotes"
    return RefusedRecord((Problem("", code, problem, f"{width} fields; {hint}"),))
