"""The statements on imports, their bytes and their refused lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from council_common.database.sessions import Sessions
from council_common.web.keyset import Order, in_chunks
from sqlalchemy import Select, delete, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_nothing
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.intake.invoice_imports.tables import ImportChunk, InvoiceImport, RefusedLineRow, RepeatedLine

_C: Any = InvoiceImport.__table__.c  # type: ignore[attr-defined]
_CHUNK: Any = ImportChunk.__table__.c  # type: ignore[attr-defined]
_REFUSED: Any = RefusedLineRow.__table__  # type: ignore[attr-defined]
BY_LINE = Order("line_number", _REFUSED.c.line_number, _REFUSED.c.id)
_REPEATED: Any = RepeatedLine.__table__  # type: ignore[attr-defined]


async def add_import(session: AsyncSession, import_: InvoiceImport) -> bool:
    """Store an import; False when its caller used its Idempotency-Key before.

    Another request that uses the key at this moment is waited for.
    """
    stored = await session.execute(
        insert_or_nothing(InvoiceImport)
        .values(import_.model_dump(exclude={"changed_at"}))
        .on_conflict_do_nothing()
        .returning(_C.id)
    )
    return stored.scalar() is not None


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


async def forget_file(session: AsyncSession, import_id: UUID) -> None:
    """The import is over: its bytes are not needed any more, nor how often its lines occurred."""
    await session.execute(delete(ImportChunk).where(_CHUNK.import_id == import_id))
    await session.execute(delete(RepeatedLine).where(_REPEATED.c.import_id == import_id))


def stream_refusals(sessions: Sessions, import_id: UUID) -> AsyncIterator[Sequence[Any]]:
    """An import's refused lines in order, a thousand at a time; no connection is held while they are sent."""
    return in_chunks(sessions, refusals_of(import_id), BY_LINE)


def refusals_of(import_id: UUID) -> Select[Any]:
    """The refused lines of an import."""
    return select(*_REFUSED.c).where(_REFUSED.c.import_id == import_id)
