"""Reading files of invoices, in a child process.

It knows no database: it asks its parent for the pieces of a file and answers with batches of drafts and refusals.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from council_common.imports import (
    Batch,
    Doubt,
    DoubtfulFile,
    Format,
    Mapping,
    Problem,
    Refusal,
    UnreadableFile,
    read_records,
    surveyed_dates,
)
from council_common.imports.dates import DateOrder
from council_common.imports.published_spend import amount_basis
from council_common.imports.refusals import csv_line
from council_common.runtime.child_process import Fetch

from invoice_service.intake.invoice_imports.drafts import Refused, drafter
from invoice_service.intake.invoice_imports.invoice_rows import InvoiceRows, Row, repeated_keys
from invoice_service.intake.invoice_imports.mappings import (
    ColumnMapping,
    doubts_about_amounts,
    mapping_of,
)
from invoice_service.intake.invoice_imports.rules import Profile


@dataclass(frozen=True, slots=True)
class OpenFile:
    """The request to open a file behind the last line that was stored; the answer is an OpenedFile.

    `date_orders` are those of its columns where they are known: it was open before.
    """

    import_id: UUID
    format: Format
    profile: Profile
    mapping: dict[str, Any]
    after_line: int
    today: date
    date_orders: dict[str, DateOrder] | None


@dataclass(frozen=True, slots=True)
class NextBatch:
    """The request for the next batch of an open file; the answer is a ReadBatch, None behind the last line."""

    import_id: UUID


@dataclass(frozen=True, slots=True)
class CloseFile:
    """The request to forget a file."""

    import_id: UUID


@dataclass(frozen=True, slots=True)
class Piece:
    """The question for a piece of a file, which is answered with its bytes; none are behind the last one."""

    import_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """How a file is understood; `fields` are the names for a record that has none of its own.

    `columns` says which column each field is read from, `date_orders` how the dates of each are written. Where there
    are `doubts` its sender has to be asked before a line is read.
    """

    header: list[str]
    header_line: int
    delimiter: str
    amount_basis: str | None
    fields: list[str]
    columns: dict[str, str]
    date_orders: dict[str, DateOrder]
    doubts: list[Doubt]

    @classmethod
    def in_doubt(cls, doubt: Doubt) -> OpenedFile:
        """A file that cannot even be opened before its sender was asked."""
        return cls([], 0, ",", None, [], {}, {}, [doubt])


def reading_of(opened: OpenedFile) -> dict[str, Any]:
    """How a file was understood, as it is kept with its import."""
    return {"header_line": opened.header_line, "columns": opened.columns, "date_orders": opened.date_orders}


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """A batch that was read: drafts by their fields, lines already refused, and how far it brings the import.

    `refused_pence` sums the refused lines' amounts where they could be read. `total` is the file's own total, if
    the batch held one, and the sum of the lines before it in this reading. `cells` are the drafts' own, as JSON:
    they are wanted only of those that are refused later.
    """

    drafts: list[tuple[Any, ...]]
    cells: str
    refused: list[Refusal]
    refused_pence: int
    skipped: int
    last_line: int
    bytes_read: int
    total: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class LineWriter:
    """Writes a line's cells anew, as they can be sent again."""

    format: Format
    delimiter: str
    fields: list[str]

    def refusal(self, line_number: int, problems: tuple[Problem, ...], cells: list[str]) -> Refusal:
        """A line that could be read but not accepted."""
        return Refusal(line_number, problems, self._raw(cells))

    def _raw(self, cells: list[str]) -> str:
        if self.format == "ndjson":
            return json.dumps({name: cell for name, cell in zip(self.fields, cells, strict=False) if cell})
        return csv_line(cells, self.delimiter).removesuffix("\r\n")


class FileReader:
    """One file being read: `opened` is known from the start, `next` gives its batches, then None."""

    def __init__(self, file: OpenFile, piece: Callable[[Piece], bytes]) -> None:
        self._file = file
        self._piece = piece
        sender = ColumnMapping.model_validate(file.mapping)
        mapping = mapping_of(file.profile, sender)
        doubts = doubts_about_amounts(file.profile, sender)
        orders = file.date_orders
        if orders is None:
            surveyed = {} if sender.date_order else surveyed_dates(self._pieces, format=file.format, mapping=mapping)
            orders = {field: column.order for field, column in surveyed.items() if column.order is not None}
            doubts += [column.doubt for column in surveyed.values() if column.order is None]
        mapping = mapping.with_date_orders(orders)
        self._draft = drafter(file.profile)
        self._amount_place = mapping.names.index(mapping.amount or "")
        self._reading = read_records(
            self._pieces, format=file.format, mapping=mapping, start_after_line=file.after_line, keep_cells=True
        )
        published = file.profile is Profile.PUBLISHED_SPEND
        self._rows = None if published or doubts else self._rows_of_several(mapping)
        self._batches = iter(self._reading)
        self._skipped = self._refused_pence = 0
        self._broken: UnreadableFile | None = None
        self._ahead = self._behind(file.after_line) if self._rows else None
        bound = self._reading.binding.columns
        self.opened = OpenedFile(
            header=list(self._reading.header),
            header_line=self._reading.header_line,
            delimiter=self._reading.delimiter,
            amount_basis=amount_basis(self._reading.binding) if published else None,
            fields=[field.columns[0] for field in mapping.fields],
            columns={column.field: self._reading.header[column.index] for column in bound if column.index is not None},
            date_orders={
                field.name: field.date_order
                for field, column in zip(mapping.fields, bound, strict=True)
                if field.kind == "date" and column.index is not None
            },
            doubts=doubts,
        )
        self._writer = LineWriter(file.format, self.opened.delimiter, self.opened.fields)

    def next(self) -> ReadBatch | None:
        """The next batch. Raises UnreadableFile."""
        batch = next(self._batches, None) if self._rows is None else self._next_but_one()
        if batch is None:
            return None
        drafts, refused, refused_pence = self._drafts(batch)
        counts = batch.counts
        read = ReadBatch(
            drafts=drafts,
            cells=json.dumps(batch.cells),
            refused=[*batch.refusals, *refused],
            refused_pence=counts.refused_pence - self._refused_pence + refused_pence,
            skipped=counts.skipped - self._skipped,
            last_line=batch.last_line,
            bytes_read=self._reading.bytes_read,
            total=next(((total.amount_pence, total.sum_pence) for total in reversed(batch.totals)), None),
        )
        self._refused_pence, self._skipped = counts.refused_pence, counts.skipped
        return read

    def _drafts(self, batch: Batch) -> tuple[list[tuple[Any, ...]], list[Refusal], int]:
        draft, today = self._draft, self._file.today
        drafts: list[tuple[Any, ...]] = []
        refused: list[Refusal] = []
        refused_pence = 0
        rows = self._rows
        for place, row in enumerate(batch.rows):
            if rows is not None and (key := rows.key_of(row)) is not None:
                rows.add(key, Row(batch.lines[place], row, batch.cells[place]))
                continue
            try:
                drafts.append(tuple(draft(batch.lines[place], place, row, today)))
            except Refused as refusal:
                refused.append(self._writer.refusal(batch.lines[place], refusal.problems, batch.cells[place]))
                amount = row[self._amount_place]
                refused_pence += amount if isinstance(amount, int) else 0
        if rows is not None:
            refused_pence += self._take_complete(rows, batch, drafts, refused)
        return drafts, refused, refused_pence

    def _take_complete(
        self, rows: InvoiceRows, batch: Batch, drafts: list[tuple[Any, ...]], refused: list[Refusal]
    ) -> int:
        """Add the invoices whose last row is in this batch; the sum of those that are refused."""
        refused_pence = 0
        _add_refused(rows, batch)
        at_end = self._ahead is None and self._broken is None  # of a file that broke off, rows may still be wanting
        for draft, of_invoice, refused_rows in rows.outcomes(at_end=at_end):
            if draft is not None:
                drafts.append(tuple(draft._replace(place=len(batch.cells))))
                batch.cells += [row.cells for row in of_invoice]
            for row, problems in refused_rows:
                refused.append(self._writer.refusal(row.line, problems, row.cells))
                amount = row.values[self._amount_place] if row.values else None
                refused_pence += amount if isinstance(amount, int) else 0
        return refused_pence

    def _rows_of_several(self, mapping: Mapping) -> InvoiceRows | None:
        """What brings the rows of invoices together, where any has several; the file is then read from its start."""
        file = self._file
        looked_through = read_records(self._pieces, format=file.format, mapping=mapping)
        repeated = repeated_keys(looked_through.records)
        if not repeated:
            return None
        if file.after_line:
            self._reading = read_records(self._pieces, format=file.format, mapping=mapping, keep_cells=True)
        return InvoiceRows(self._reading.binding, repeated, file.today)

    def _next_but_one(self) -> Batch | None:
        """The next batch, when it is known whether it is the last: with it every invoice is complete."""
        if self._broken is not None:
            raise self._broken
        batch = self._ahead
        try:
            self._ahead = next(self._batches, None)
        except UnreadableFile as broken:
            self._ahead, self._broken = None, broken
        return batch

    def _behind(self, after_line: int) -> Batch | None:
        """The first batch behind a line; of those before it only the rows that wait for others are kept."""
        rows = self._rows
        batch = next(self._batches, None)
        while rows is not None and batch is not None and batch.last_line <= after_line:
            for line, row, cells in zip(batch.lines, batch.rows, batch.cells, strict=True):
                if (key := rows.key_of(row)) is not None:
                    rows.add(key, Row(line, row, cells))
            _add_refused(rows, batch)
            rows.forget_complete()
            self._skipped, self._refused_pence = batch.counts.skipped, batch.counts.refused_pence
            batch = next(self._batches, None)
        return batch

    def _pieces(self) -> Iterator[bytes]:
        number = 0
        while piece := self._piece(Piece(self._file.import_id, number)):
            yield piece
            number += 1


def _add_refused(rows: InvoiceRows, batch: Batch) -> None:
    for refusal, cells in zip(batch.refusals, batch.refused_cells, strict=True):
        rows.add_refused(refusal.line_number, cells)


class FileReaders:
    """The files that are open in this process."""

    def __init__(self) -> None:
        self._open: dict[UUID, FileReader] = {}

    def handle(self, request: OpenFile | NextBatch | CloseFile, fetch: Fetch) -> Any:
        """Answer one request."""
        match request:
            case OpenFile():
                try:
                    self._open[request.import_id] = reader = FileReader(request, fetch)
                except DoubtfulFile as doubtful:
                    return OpenedFile.in_doubt(doubtful.doubt)
                return reader.opened
            case NextBatch():
                return self._open[request.import_id].next()
            case CloseFile():
                self._open.pop(request.import_id, None)
        return None


handle = FileReaders().handle
