"""Reading files of invoices, in a child process.

It knows no database: it asks its parent for the pieces of a file and answers with batches of drafts and refusals.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from council_common.imports import Batch, Format, Mapping, Problem, Refusal, UnreadableFile, read_records
from council_common.imports.canonical_cells import CanonicalCells
from council_common.imports.refusals import csv_line
from council_common.runtime.child_process import Fetch

from invoice_service.intake.invoice_imports.drafts import drafter
from invoice_service.intake.invoice_imports.invoice_rows import InvoiceRows, Row, repeated_keys
from invoice_service.intake.invoice_imports.line_amounts import Refused
from invoice_service.intake.invoice_imports.rules import Profile
from invoice_service.intake.invoice_imports.understanding import OpenFile, understand


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
        mapping, self._reading, self.opened = understand(file, self._pieces)
        self._draft = drafter(file.profile, is_net=self.opened.amount_basis == "net")
        self._canonical = CanonicalCells(
            self._reading.header,
            order=next(iter(self.opened.date_orders.values()), "dmy"),
            arranged=self._reading.header_line == 0,
            constants=[one.constant for one in mapping.fields if one.kind == "date" and one.constant is not None],
        )
        self._amount_place = self._reading.binding.amount_index or 0
        read_alone = file.profile is Profile.PUBLISHED_SPEND or self.opened.doubts
        self._rows = None if read_alone else self._rows_of_several(mapping)
        self._batches = iter(self._reading)
        self._skipped = self._refused_pence = 0
        self._broken: UnreadableFile | None = None
        self._ahead = self._behind(file.after_line) if self._rows else None
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
        draft, today, key_of = self._draft, self._file.today, self._canonical.key
        drafts: list[tuple[Any, ...]] = []
        refused: list[Refusal] = []
        refused_pence = 0
        rows = self._rows
        for place, row in enumerate(batch.rows):
            if rows is not None and (key := rows.key_of(row)) is not None:
                rows.add(key, Row(batch.lines[place], row, batch.cells[place]))
                continue
            try:
                drafts.append(tuple(draft(batch.lines[place], place, row, today, key_of(batch.cells[place]))))
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
        return InvoiceRows(self._reading.binding, repeated, file.today, self._canonical)

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
                self._open[request.import_id] = reader = FileReader(request, fetch)
                return reader.opened
            case NextBatch():
                return self._open[request.import_id].next()
            case CloseFile():
                self._open.pop(request.import_id, None)
        return None


handle = FileReaders().handle
