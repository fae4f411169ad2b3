"""The queries on imports, their bytes and their refused lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.chunks import in_chunks
from council_common.database.sessions import Sessions, driver
from council_common.web.pages import PageQuery, fetch_page
from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.intake.invoice_imports.rules import NoSuchImport, Status
from invoice_service.intake.invoice_imports.tables import ImportChunk, InvoiceImport, RefusedLineRow, RepeatedLine

_C: Any = InvoiceImport.__table__.c  # type: ignore[attr-defined]
_CHUNK: Any = ImportChunk.__table__.c  # type: ignore[attr-defined]
_R: Any = RefusedLineRow.__table__.c  # type: ignore[attr-defined]
IMPORT_ID = _C.id
_ROWS = 1000

SORTABLE: dict[str, ColumnElement[Any]] = {"id": _C.id, "received_at": _C.received_at, "filename": _C.filename}

_TAKE = """
UPDATE invoice_import SET status = 'running', started_at = coalesce(started_at, $1), attempts = attempts + 1
WHERE id = (
    SELECT id FROM invoice_import WHERE status IN ('queued', 'running')
    ORDER BY attempts + waits, received_at, id LIMIT 1
)
RETURNING id
"""

# Only while it runs: a cancellation that came in between ends the batch, and the batch is rolled back.
_ADVANCE = """
UPDATE invoice_import SET
    last_line = $2, bytes_read = greatest(bytes_read, $3), attempts = 0, waits = 0,
    lines_accepted = lines_accepted + $4, lines_existing = lines_existing + $5,
    lines_refused = lines_refused + $6, lines_skipped = lines_skipped + $7,
    net_pence_sum = net_pence_sum + $8, refused_pence_sum = refused_pence_sum + $9,
    file_total_pence = coalesce($10, file_total_pence), file_total_agrees = coalesce($11, file_total_agrees)
WHERE id = $1 AND status = 'running' AND last_line = $12
RETURNING id
"""


async def get_import(session: AsyncSession, import_id: UUID) -> InvoiceImport:
    """One import. Raises NoSuchImport."""
    found = await session.get(InvoiceImport, import_id)
    if found is None:
        raise NoSuchImport("There is no import with this id.")
    return found


async def lock_import(session: AsyncSession, import_id: UUID) -> InvoiceImport:
    """One import that nobody else changes until we commit. Raises NoSuchImport."""
    found = await session.execute(
        select(InvoiceImport).where(_C.id == import_id).with_for_update().execution_options(populate_existing=True)
    )
    import_ = found.scalar_one_or_none()
    if import_ is None:
        raise NoSuchImport("There is no import with this id.")
    return import_


async def list_imports(
    session: AsyncSession, page: PageQuery, *, equal: dict[str, Any]
) -> tuple[Sequence[InvoiceImport], str | None]:
    """One page of imports."""
    statement = select(InvoiceImport).where(*(_C[name] == value for name, value in equal.items() if value is not None))
    return await fetch_page(session, statement, query=page, sortable=SORTABLE, default="-received_at", id_column=_C.id)


async def by_request_key(session: AsyncSession, subject: str, key: str) -> InvoiceImport | None:
    """The import that a caller began under an Idempotency-Key."""
    found = await session.execute(select(InvoiceImport).where(_C.received_by == subject, _C.request_key == key))
    return found.scalar_one_or_none()


async def add_chunk(session: AsyncSession, import_id: UUID, number: int, data: bytes) -> None:
    """Keep a piece of a file."""
    await session.execute(insert(ImportChunk).values(import_id=import_id, number=number, data=data))


async def read_chunk(session: AsyncSession, import_id: UUID, number: int) -> bytes:
    """A piece of a file; empty behind the last."""
    found = await session.execute(select(_CHUNK.data).where(_CHUNK.import_id == import_id, _CHUNK.number == number))
    return found.scalar() or b""


async def take_next(session: AsyncSession, *, at: datetime) -> InvoiceImport | None:
    """The import to work on: the oldest that waits or was left; those that broke or had to wait come last."""
    import_id = await (await driver(session)).fetchval(_TAKE, at)
    return None if import_id is None else await get_import(session, import_id)


async def give_back_attempt(session: AsyncSession, import_id: UUID) -> None:
    """The attempt failed for a reason that passes and is not the import's; the others come first now."""
    counts = {"attempts": func.greatest(_C.attempts - 1, 0), "waits": _C.waits + 1}
    await session.execute(update(InvoiceImport).where(_C.id == import_id).values(counts))


async def keep_header(
    session: AsyncSession, import_id: UUID, *, header: list[str], delimiter: str, amount_basis: str | None
) -> None:
    """Remember how the file is written."""
    said = {"header": header, "delimiter": delimiter, "amount_basis": amount_basis}
    await session.execute(update(InvoiceImport).where(_C.id == import_id).values(said))


async def advance(connection: Any, import_id: UUID, *progress: Any) -> bool:
    """Count a stored batch; False when the import does not run any more, or somebody else stored the batch."""
    return await connection.fetchval(_ADVANCE, import_id, *progress) is not None


async def end(
    session: AsyncSession, import_id: UUID, status: Status, *, at: datetime, error: dict[str, Any] | None = None
) -> bool:
    """Done, failed or cancelled; its bytes are not needed any more. False when it had ended before."""
    ended = await session.execute(
        update(InvoiceImport)
        .where(_C.id == import_id, _C.status.in_([Status.QUEUED, Status.RUNNING]))
        .values(status=status, finished_at=at, error=error)
        .returning(_C.id)
    )
    if ended.scalar() is None:
        return False
    await session.execute(delete(ImportChunk).where(_CHUNK.import_id == import_id))
    await session.execute(delete(RepeatedLine).where(RepeatedLine.import_id == import_id))  # type: ignore[arg-type]
    return True


async def list_refusals(
    session: AsyncSession, import_id: UUID, page: PageQuery
) -> tuple[Sequence[RefusedLineRow], str | None]:
    """One page of an import's refused lines, by line number."""
    statement = select(RefusedLineRow).where(_R.import_id == import_id)
    return await fetch_page(
        session, statement, query=page, sortable={"line_number": _R.line_number}, default="line_number", id_column=_R.id
    )


def stream_refusals(sessions: Sessions, import_id: UUID) -> AsyncIterator[Sequence[Any]]:
    """An import's refused lines in order, a thousand at a time; no connection is held while they are sent."""
    rows_of = select(*RefusedLineRow.__table__.c).where(_R.import_id == import_id)  # type: ignore[attr-defined]
    return in_chunks(sessions, rows_of, _R.line_number, _R.id)
