"""What becomes of an import beside its lines: it is cancelled by somebody, or ends."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.history import ChangeOut, history_of, record_change
from council_common.identity.actor import Actor
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.intake.invoice_imports import store
from invoice_service.intake.invoice_imports.rules import Status, move
from invoice_service.intake.invoice_imports.tables import InvoiceImport


async def cancel_import(session: AsyncSession, import_id: UUID, *, by: Actor, at: datetime) -> InvoiceImport:
    """Stop an import; what it has stored stays. Raises NoSuchImport and IllegalMove."""
    import_ = await store.lock_import(session, import_id)
    move(Status(import_.status), Status.CANCELLED)
    await end_import(session, import_id, Status.CANCELLED, by=by, at=at)
    await session.refresh(import_)
    return import_


async def end_import(
    session: AsyncSession,
    import_id: UUID,
    status: Status,
    *,
    by: Actor,
    at: datetime,
    error: dict[str, Any] | None = None,
) -> bool:
    """Write down that an import is done, failed or cancelled, and by whom; False when it had ended before."""
    if not await store.end(session, import_id, status, at=at, error=error):
        return False
    await record_change(
        session,
        entity="invoice_import",
        entity_id=import_id,
        version=2,
        action=status.value,
        by=by,
        at=at,
        reason=error["code"] if error else None,
    )
    return True


async def import_history(session: AsyncSession, import_id: UUID) -> list[ChangeOut]:
    """Who sent it, and how it ended. The upload is not stored twice: the import says who and when."""
    import_ = await store.get_import(session, import_id)
    received = ChangeOut(
        version=1,
        at=import_.received_at,
        by=import_.received_by,
        by_name=import_.received_by_name,
        action="received",
        reason=None,
        detail={"filename": import_.filename, "source_system": import_.source_system},
    )
    return [received, *await history_of(session, import_id)]
