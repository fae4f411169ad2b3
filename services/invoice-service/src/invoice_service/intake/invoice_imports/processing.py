"""The job that works through imports: one after the other, a few seconds at a time, always going on where it was."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.database.transient_faults import is_transient
from council_common.errors import Unavailable
from council_common.identity.actor import SYSTEM, Actor
from council_common.imports import UnreadableFile
from council_common.observability.logs import get_logger
from council_common.observability.traces import current_traceparent
from council_common.runtime.service_runtime import Runtime
from sqlalchemy.exc import SQLAlchemyError

from invoice_service.intake.invoice_imports import store
from invoice_service.intake.invoice_imports.assembling import Told
from invoice_service.intake.invoice_imports.file_reading import FileReading
from invoice_service.intake.invoice_imports.rules import Status, UnknownSuppliers, is_given_up
from invoice_service.intake.invoice_imports.storing import Storing
from invoice_service.intake.invoice_imports.suppliers_of_lines import SuppliersOfLines
from invoice_service.intake.invoice_imports.tables import InvoiceImport
from invoice_service.intake.invoice_imports.usecases import end_import

log = get_logger()

PROCESS_IMPORTS = "process-imports"
SLICE_SECONDS = 3.0


class ImportJob:
    """Works on the oldest import. Between its turns it keeps the file open, so that nothing is read twice.

    What it keeps is only a short cut: progress lives in the database, and whoever takes up an import that
    somebody else (or an earlier life of this process) has carried further opens the file there.
    """

    def __init__(self) -> None:
        self._open: _OpenImport | None = None

    async def run(self, runtime: Runtime) -> bool:
        """Work for a few seconds; True means that there may be more."""
        async with runtime.sessions.begin() as session:
            import_ = await store.take_next(session, at=runtime.clock())
        if import_ is None:
            await self._close()
            return False
        # Looked at before the work: an import that kills its worker leaves nobody to look at it afterwards.
        if is_given_up(import_.attempts):
            await self._fail(runtime, import_.id, "import-broke", "The import broke several times at the same place.")
            return True
        try:
            await self._work(runtime, import_)
        except UnreadableFile as unreadable:
            await self._fail(runtime, import_.id, unreadable.code, unreadable.detail, expected=unreadable.expected)
        except BaseException as fault:
            await self._close()
            if is_transient(fault) or isinstance(fault, Unavailable):
                await self._give_back_attempt(runtime, import_.id)
            raise
        return True

    async def _work(self, runtime: Runtime, import_: InvoiceImport) -> None:
        open_ = await self._opened(runtime, import_)
        until = time.monotonic() + SLICE_SECONDS
        while time.monotonic() < until:
            after_line = open_.reading.last_line
            prepared = await open_.reading.next()
            if prepared is None:
                await self._end(runtime, import_.id)
                return
            known = await open_.suppliers.find(prepared.drafts)
            if not await open_.storing.store(prepared, known, after_line=after_line, now=runtime.clock()):
                await self._close()
                return

    async def _opened(self, runtime: Runtime, import_: InvoiceImport) -> _OpenImport:
        open_ = self._open
        if open_ is not None and open_.goes_on(runtime, import_):
            return open_
        await self._close()
        open_ = _OpenImport(runtime, import_)
        await open_.reading.open()
        async with runtime.sessions.begin() as session:
            await store.keep_header(
                session,
                import_.id,
                header=open_.reading.header,
                delimiter=open_.reading.delimiter,
                amount_basis=open_.reading.amount_basis,
            )
        self._open = open_
        return open_

    async def _end(self, runtime: Runtime, import_id: UUID) -> None:
        await self._close()
        async with runtime.sessions.begin() as session:
            done = await end_import(session, import_id, Status.DONE, by=SYSTEM, at=runtime.clock())
        if done:
            log.info("import_done", import_id=str(import_id))

    async def _fail(self, runtime: Runtime, import_id: UUID, code: str, detail: str, **more: Any) -> None:
        await self._close()
        error = {"code": code, "detail": detail, **more}
        async with runtime.sessions.begin() as session:
            failed = await end_import(session, import_id, Status.FAILED, by=SYSTEM, at=runtime.clock(), error=error)
        if failed:
            log.warning("import_failed", import_id=str(import_id), code=code)

    async def _give_back_attempt(self, runtime: Runtime, import_id: UUID) -> None:
        # What failed may be the database itself: then the attempt counts.
        with suppress(SQLAlchemyError, OSError):
            async with runtime.sessions.begin() as session:
                await store.give_back_attempt(session, import_id)

    async def _close(self) -> None:
        open_, self._open = self._open, None
        if open_ is not None:
            await open_.reading.close()


class _OpenImport:
    """An import's file, its suppliers and where its batches go."""

    def __init__(self, runtime: Runtime, import_: InvoiceImport) -> None:
        told = Told(
            by=Actor(import_.received_by, import_.received_by_name),
            at=import_.received_at,
            source_system=import_.source_system,
            import_id=import_.id,
            traceparent=current_traceparent(),
        )
        self._runtime = runtime
        self.reading = FileReading(runtime.sessions, import_, today=london_date(runtime.clock()))
        self.suppliers = SuppliersOfLines(
            runtime,
            system=import_.supplier_system,
            register=import_.unknown_suppliers == UnknownSuppliers.REGISTER,
        )
        self.storing = Storing(runtime.sessions, self.reading, told)

    def goes_on(self, runtime: Runtime, import_: InvoiceImport) -> bool:
        """Whether the file stands where the database says that the import does."""
        return self._runtime is runtime and self.reading.stands_at(import_.id, import_.last_line)
