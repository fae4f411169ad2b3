"""What every format yields: a numbered record of text cells, or the reason why there are none."""

from collections.abc import Iterator
from typing import Protocol

from council_common.imports.column_binding import ColumnBinding
from council_common.imports.problems import Problem

# First and last physical line (row, for a workbook), the cells or what is wrong with the record, and its raw
# text. The raw text is empty where cells have none (a workbook's); it is then written as CSV when needed.
# A plain tuple: a million of them pass through one loop.
Record = tuple[int, int, list[str] | Problem, str]


class RecordSource(Protocol):
    """The records of one opened file, behind its header; `header_line` is 0 where there is none."""

    binding: ColumnBinding
    delimiter: str
    header_line: int

    @property
    def sheet(self) -> str | None:
        """A workbook's sheet."""

    def __iter__(self) -> Iterator[Record]: ...
