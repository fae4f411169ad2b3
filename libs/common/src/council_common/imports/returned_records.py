"""The records of a refused file that comes back: its cells as their sender wrote them, before we defused them."""

from collections.abc import Iterator

from council_common.imports.problems import Problem
from council_common.imports.record_source import Record, RecordSource
from council_common.imports.refusals import cells_of, csv_line
from council_common.spreadsheet_cells import as_sent


class ReturnedRecords:
    """The records of a source with `_line` in its header; one that is refused again is kept as it was first sent."""

    def __init__(self, records: RecordSource) -> None:
        self._records = records
        self.binding = records.binding
        self.delimiter = records.delimiter
        self.header_line = records.header_line
        self.sheet = records.sheet

    def __iter__(self) -> Iterator[Record]:
        for first, last, cells, raw in self._records:
            read = cells_of(raw, self.delimiter) if isinstance(cells, Problem) else cells
            own = [as_sent(cell) for cell in read]
            yield first, last, cells if isinstance(cells, Problem) else own, csv_line(own, self.delimiter)
