"""Importing files as long work: a slice is a batch of lines, read by a child process while the one before is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from council_common.clock import london_date
from council_common.database.rows import get_row, lock_row
from council_common.identity.actor import Actor
from council_common.imports import UnreadableFile
from council_common.long_work.kind import WorkKind
from council_common.long_work.rules import Progress, WorkFailed, WorkState
from council_common.long_work.tables import Work
from council_common.observability.traces import current_traceparent
from council_common.recording import fact, record
from council_common.runtime.service_runtime import Runtime
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.intake.import_readings.store import offered_to
from invoice_service.intake.import_readings.tables import ImportReading
from invoice_service.intake.import_readings.usecases import save_reading
from invoice_service.intake.invoice_imports import store
from invoice_service.intake.invoice_imports.assembling import ImportContext
from invoice_service.intake.invoice_imports.file_reading import FileReading, PreparedBatch, end_unused_reader
from invoice_service.intake.invoice_imports.rules import IN_DOUBT, FileFormat, InDoubt, UnknownSuppliers
from invoice_service.intake.invoice_imports.storing import store_batch
from invoice_service.intake.invoice_imports.suppliers_of_lines import LineSupplier, SuppliersOfLines
from invoice_service.intake.invoice_imports.tables import InvoiceImport
from invoice_service.intake.invoice_imports.understanding import OpenedFile, SavedReading, header_key

MOST_OPEN = 3


class ImportInvoices(WorkKind):
    """Imports files; those that had a turn of late stay open, so that nothing is read twice.

    What is kept open is only a short cut: progress lives in the database, and where another worker (or an earlier life
    of this process) has carried an import further, its file is opened again behind the last line that was stored.
    """

    name = "process-imports"
    noun = "import"
    unit = "bytes"

    def __init__(self) -> None:
        self._open: dict[UUID, _OpenImport] = {}

    async def prepare(self, runtime: Runtime, work: Work) -> _Slice | None:
        """The next batch and its suppliers; None behind the last line."""
        try:
            open_ = await self._opened(runtime, work)
            batch = await open_.reading.next()
        except UnreadableFile as unreadable:
            await self._close(work.subject_id)
            raise WorkFailed(unreadable.code, unreadable.detail, expected=unreadable.expected) from unreadable
        except InDoubt as doubt:
            await self._close(work.subject_id)
            raise WorkFailed(
                IN_DOUBT, str(doubt), can_resume=True, doubts=[asdict(asked) for asked in doubt.doubts]
            ) from doubt
        except Exception:
            await self._close(work.subject_id)  # what was read of it is lost: it is opened anew
            raise
        opened = open_.reading.opened
        if batch is None or opened is None:
            await self._close(work.subject_id)
            return None
        return _Slice(opened, batch, await open_.suppliers.find(batch.drafts))

    async def do_slice(self, session: AsyncSession, work: Work, prepared: _Slice | None, *, now: datetime) -> Progress:
        """Store one batch."""
        if prepared is None:
            return Progress(work.total or work.done, finished=True)
        import_ = await lock_row(session, InvoiceImport, work.subject_id)
        batch, context = prepared.batch, _context_of(import_)
        await store_batch(session, import_, batch, prepared.known, opened=prepared.opened, context=context, now=now)
        # A file opened again is read from its beginning: what was counted before is not counted again.
        return Progress(max(work.done, batch.read.bytes_read), cursor=str(batch.read.last_line))

    async def moved(self, session: AsyncSession, work: Work, *, by: Actor, at: datetime, note: str | None) -> None:
        """How an import ended or went on, in its history; what was stored stays."""
        import_ = await lock_row(session, InvoiceImport, work.subject_id)
        action = "resumed" if work.state is WorkState.WAITING else work.state.value
        reason = work.error["code"] if work.error else None
        detail = {"note": note} if note else None
        await record(session, fact(import_, action, reason=reason, detail=detail), by=by, at=at)
        if work.state is WorkState.DONE:
            await _save_reading(session, import_, at=at)
        if work.is_over:
            await store.forget_file(session, import_.id)

    async def rest(self) -> None:
        """Close every file; the child that reads ends when none was read for a while."""
        for import_id in list(self._open):
            await self._close(import_id)
        end_unused_reader()

    async def _opened(self, runtime: Runtime, work: Work) -> _OpenImport:
        after_line = int(work.cursor or 0)
        open_ = self._open.pop(work.subject_id, None)
        if open_ is not None and not open_.goes_on(runtime, after_line):
            await open_.reading.close()
            open_ = None
        if open_ is None:
            while len(self._open) >= MOST_OPEN:
                await self._close(next(iter(self._open)))
            async with runtime.sessions() as session:
                import_ = await get_row(session, InvoiceImport, work.subject_id)
                saved = saved_of(await offered_to(session, import_.source_system, import_.profile))
            open_ = self._open[work.subject_id] = _OpenImport(runtime, import_, after_line=after_line, saved=saved)
            await open_.reading.open()
        else:
            self._open[work.subject_id] = open_  # behind those that had their last turn longer ago
        return open_

    async def _close(self, import_id: UUID) -> None:
        open_ = self._open.pop(import_id, None)
        if open_ is not None:
            await open_.reading.close()


IMPORT_INVOICES = ImportInvoices()


def saved_of(readings: Sequence[ImportReading]) -> list[SavedReading]:
    """Saved readings as the child takes them."""
    return [SavedReading(one.id, one.header, one.mapping) for one in readings]


async def _save_reading(session: AsyncSession, import_: InvoiceImport, *, at: datetime) -> None:
    """What the sender said of a file, in its mapping or its answers, is offered to the next one of its layout."""
    mapping = (import_.reading or {}).get("mapping")
    if mapping and import_.header and import_.format is not FileFormat.NDJSON:
        await save_reading(
            session,
            source_system=import_.source_system,
            profile=import_.profile,
            header=header_key(import_.header),
            mapping=mapping,
            import_id=import_.id,
            by=Actor(import_.received_by, import_.received_by_name),
            at=at,
        )


def _context_of(import_: InvoiceImport) -> ImportContext:
    return ImportContext(
        by=Actor(import_.received_by, import_.received_by_name),
        at=import_.received_at,
        source_system=import_.source_system,
        import_id=import_.id,
        traceparent=current_traceparent(),
    )


class _OpenImport:
    """An import's file, opened behind the last line that was stored, and the suppliers met in it so far."""

    def __init__(
        self, runtime: Runtime, import_: InvoiceImport, *, after_line: int, saved: Sequence[SavedReading]
    ) -> None:
        self._runtime = runtime
        today = london_date(runtime.clock())
        self.reading = FileReading(runtime.sessions, import_, after_line=after_line, today=today, saved=saved)
        self.suppliers = SuppliersOfLines(
            runtime,
            system=import_.supplier_system,
            register=import_.unknown_suppliers is UnknownSuppliers.REGISTER,
        )

    def goes_on(self, runtime: Runtime, after_line: int) -> bool:
        """Whether the file stands where the database says that the import does."""
        return self._runtime is runtime and self.reading.last_line == after_line


@dataclass(frozen=True, slots=True)
class _Slice:
    """A batch that is ready to be stored, how its file is understood, and the suppliers of its lines."""

    opened: OpenedFile
    batch: PreparedBatch
    known: dict[str, LineSupplier | None]
