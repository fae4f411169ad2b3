"""A stored file, read batch by batch in a thread of its own while the database works on the batch before."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from council_common.database.sessions import Sessions
from council_common.imports import Batch, Problem, Reading, Refusal, UnreadableFile, read_records
from council_common.imports.published_spend import amount_basis

from invoice_service.intake.invoice_imports import store
from invoice_service.intake.invoice_imports.drafts import Draft, Refused, drafter
from invoice_service.intake.invoice_imports.mappings import ColumnMapping, mapping_of
from invoice_service.intake.invoice_imports.rules import Profile
from invoice_service.intake.invoice_imports.tables import InvoiceImport

_CHUNK_SECONDS = 60.0


@dataclass(slots=True)
class PreparedBatch:
    """A batch ready to be stored: drafts, lines already refused, and how far it brings the import.

    `refused_pence` sums the refused lines' amounts where they could be read. `total_pence` is the file's own
    total, if the batch held one, and `total_agrees` whether the lines before it sum to it.
    """

    drafts: list[Draft]
    refused: list[Refusal]
    refused_pence: int
    skipped: int
    last_line: int
    bytes_read: int
    total_pence: int | None = None
    total_agrees: bool | None = None


class FileReading:
    """One import's file, opened behind the last line that was stored. `next` gives its batches, then None."""

    def __init__(self, sessions: Sessions, import_: InvoiceImport, *, after_line: int, today: date) -> None:
        self._import_id = import_.id
        self.last_line = after_line
        self.header: list[str] = []
        self.delimiter = ","
        self.amount_basis: str | None = None
        self._sessions = sessions
        self._format: Literal["csv", "ndjson", "xlsx"] = import_.format.value
        self._profile = import_.profile
        self._mapping = mapping_of(self._profile, ColumnMapping.model_validate(import_.mapping or {}))
        self._draft = drafter(self._profile)
        self._names = self._mapping.names
        self._columns = [field.columns[0] for field in self._mapping.fields]
        self._sum_before = import_.net_pence_sum + import_.refused_pence_sum
        self._skipped = 0
        self._refused_pence = 0
        self._today = today
        self._loop = asyncio.get_running_loop()
        self._batches: Iterator[Batch] | None = None
        self._reading: Reading | None = None
        self._coming: asyncio.Future[PreparedBatch | None] | None = None

    async def open(self) -> None:
        """Read the header. Raises UnreadableFile."""
        try:
            await asyncio.to_thread(self._open)
        except UnreadableFile as unreadable:
            if unreadable.code != "missing-columns" or self._profile is Profile.PUBLISHED_SPEND:
                raise
            expected = f"{unreadable.expected}; or mapping={{...}} with the name that the file has for it"
            raise UnreadableFile(unreadable.code, unreadable.detail, expected) from unreadable

    async def next(self) -> PreparedBatch | None:
        """The next batch, None at the end; the one after it is being read meanwhile. Raises UnreadableFile."""
        coming = self._coming or self._begin()
        prepared = await coming
        self._coming = self._begin() if prepared is not None else coming
        if prepared is not None:
            self.last_line = prepared.last_line
        return prepared

    async def close(self) -> None:
        """Let go of the file; a batch that is being read is waited for and forgotten."""
        if self._coming is not None:
            await asyncio.gather(self._coming, return_exceptions=True)

    def _begin(self) -> asyncio.Future[PreparedBatch | None]:
        return asyncio.ensure_future(asyncio.to_thread(self._next))

    def _open(self) -> None:
        self._reading = read_records(
            self._chunks,
            format=self._format,
            mapping=self._mapping,
            start_after_line=self.last_line,
            keep_cells=True,
        )
        self.header, self.delimiter = list(self._reading.header), self._reading.delimiter
        if self._profile is Profile.PUBLISHED_SPEND:
            self.amount_basis = amount_basis(self._reading.binding)
        self._batches = iter(self._reading)

    def _chunks(self) -> Iterator[bytes]:
        """The stored file, piece by piece; this thread waits while the event loop fetches one."""
        number = 0
        while chunk := asyncio.run_coroutine_threadsafe(self._chunk(number), self._loop).result(_CHUNK_SECONDS):
            yield chunk
            number += 1

    async def _chunk(self, number: int) -> bytes:
        async with self._sessions() as session:
            return await store.read_chunk(session, self._import_id, number)

    def _next(self) -> PreparedBatch | None:
        if self._batches is None or self._reading is None:
            raise RuntimeError("open the file first")
        batch = next(self._batches, None)
        if batch is None:
            return None
        prepared = PreparedBatch(
            drafts=[],
            refused=batch.refusals,
            refused_pence=batch.counts.refused_pence - self._refused_pence,
            skipped=batch.counts.skipped - self._skipped,
            last_line=batch.last_line,
            bytes_read=self._reading.bytes_read,
        )
        self._refused_pence, self._skipped = batch.counts.refused_pence, batch.counts.skipped
        self._take_drafts(batch, prepared)
        for total in batch.totals:
            prepared.total_pence = total.amount_pence
            prepared.total_agrees = self._sum_before + total.sum_pence == total.amount_pence
        return prepared

    def _take_drafts(self, batch: Batch, prepared: PreparedBatch) -> None:
        draft, today, add = self._draft, self._today, prepared.drafts.append
        for line_number, row, cells in zip(batch.lines, batch.rows, batch.cells, strict=True):
            try:
                add(draft(line_number, row, cells, today))
            except Refused as refused:
                prepared.refused.append(self.refusal(line_number, refused.problems, cells))
                prepared.refused_pence += self._amount(row)

    def refusal(self, line_number: int, problems: tuple[Problem, ...], cells: list[str]) -> Refusal:
        """A line that could be read but not accepted, with its values as they can be sent again."""
        return Refusal(line_number, problems, self._raw(cells))

    def _raw(self, cells: list[str]) -> str:
        if self._format == "ndjson":
            return json.dumps({name: cell for name, cell in zip(self._columns, cells, strict=False) if cell})
        out = io.StringIO()
        csv.writer(out, delimiter=self.delimiter, lineterminator="").writerow(cells)
        return out.getvalue()

    def _amount(self, row: tuple[Any, ...]) -> int:
        amount = row[self._names.index(self._mapping.amount or "")]
        return amount if isinstance(amount, int) else 0
