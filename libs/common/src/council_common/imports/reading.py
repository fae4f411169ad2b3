"""One file in, batches of parsed rows out: accepted, refused and skipped records, and every record counted once."""

from collections.abc import Iterator
from typing import Final, Literal

from council_common.imports.batches import Batch, Counts
from council_common.imports.csv_records import CsvRecords
from council_common.imports.date_survey import DateColumn, may_hold_dates_in_doubt, survey_dates
from council_common.imports.limits import Limits
from council_common.imports.mapping import Mapping
from council_common.imports.ndjson_records import NdjsonRecords
from council_common.imports.physical_lines import CountedBytes, PhysicalLines, Source
from council_common.imports.problems import DoubtfulFile, UnreadableFile
from council_common.imports.record_classifier import RecordClassifier
from council_common.imports.record_source import RecordSource
from council_common.imports.refusals import without_nul
from council_common.imports.returned_records import ReturnedRecords

Format = Literal["csv", "ndjson", "xlsx"]
DateColumns = dict[str, DateColumn]
DEFAULT_LIMITS: Final = Limits()


class Reading:
    """An import file being read: iterate it once for its batches.

    Known from the start: `header`, `delimiter`, `header_line`, `sheet`, `binding`. Complete at the end: `counts`,
    `bytes_read`.
    Raises `DoubtfulFile` where the binding has doubts: then no record is read.
    """

    def __init__(
        self,
        records: RecordSource,
        source: CountedBytes,
        limits: Limits,
        *,
        totals: bool,
        keep_cells: bool,
    ) -> None:
        self.records = records
        self._source = source
        self._limits = limits
        self._totals = totals
        self._keep_cells = keep_cells
        self.binding = records.binding
        self.header = tuple(map(without_nul, records.binding.header))
        self.delimiter = records.delimiter
        self.header_line = records.header_line
        self.sheet = records.sheet
        self.counts = Counts()

    @property
    def bytes_read(self) -> int:
        """For a progress bar: bytes taken from the source so far."""
        return self._source.bytes_read

    def __iter__(self) -> Iterator[Batch]:
        if doubts := self.binding.doubts:
            raise DoubtfulFile(doubts)
        arranged = self.header_line == 0
        classifier = RecordClassifier(
            self.binding, self.counts, arranged=arranged, totals=self._totals, keep_cells=self._keep_cells
        )
        classify, most = classifier.classify, self._limits.batch_records
        batch = classifier.batch
        for first, last, cells, raw in self.records:
            classify(first, last, cells, raw)
            if batch.full_size >= most:
                yield classifier.closed()
                batch = classifier.batch
        if batch.last_line:
            yield classifier.closed()


def read_records(
    source: Source,
    *,
    format: Format,  # noqa: A002 - what the file is called everywhere else, too
    mapping: Mapping,
    limits: Limits = DEFAULT_LIMITS,
    start_after_line: int = 0,
    keep_cells: bool = False,
) -> Reading:
    """Open an import file and read its header; iterating the result yields its records in batches.

    `source` is called once and gives the file's bytes in chunks of any size; text is never held as a whole.
    `start_after_line` is the `last_line` of the last batch that was stored: the reading goes on behind it, with
    counts and sums from there. Of a workbook the visible sheet with the columns is read. With `keep_cells`
    batches also hold the cells of their rows, for a reader that may yet refuse them.

    Raises `UnreadableFile` here and while iterating, when the file as a whole cannot be read.
    """
    counted = CountedBytes(source)
    records: RecordSource
    if format == "xlsx":
        # openpyxl takes 14 MB and a third of a second: only who reads a workbook pays for it.
        from council_common.imports.xlsx.xlsx_records import XlsxRecords

        records = XlsxRecords(counted, mapping, limits, start_after_line=start_after_line)
    else:
        text = PhysicalLines(counted, limits=limits)
        if format == "csv":
            records = CsvRecords(text, mapping, limits, start_after_line=start_after_line)
        else:
            records = NdjsonRecords(text, mapping, start_after_line=start_after_line)
    if format != "ndjson" and records.binding.line_index is not None:
        records = ReturnedRecords(records)
    return Reading(records, counted, limits, totals=mapping.totals, keep_cells=keep_cells)


def surveyed_dates(source: Source, *, format: Format, mapping: Mapping, limits: Limits = DEFAULT_LIMITS) -> DateColumns:  # noqa: A002
    """What the whole file says of the order of its dates, by field. Raises `UnreadableFile` as opening it does."""
    if format != "xlsx" and not _may_be_in_doubt(source, limits):
        return {}
    reading = read_records(source, format=format, mapping=mapping, limits=limits)
    dates = {field.name for field in mapping.fields if field.kind == "date"}
    return survey_dates(reading.records, [column for column in reading.binding.columns if column.field in dates])


def _may_be_in_doubt(source: Source, limits: Limits) -> bool:
    """Whether dates need a survey at all: a look at the text costs little."""
    blocks = PhysicalLines(CountedBytes(source), limits=limits).blocks()
    try:
        return any(may_hold_dates_in_doubt("".join(block)) for block in blocks)
    except UnreadableFile:
        return True
