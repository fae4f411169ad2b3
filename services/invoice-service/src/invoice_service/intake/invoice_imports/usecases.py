"""What people do with an import once it is received: they stop it, or have it go on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.rows import get_row, lock_row
from council_common.identity.actor import Actor
from council_common.long_work.store import works_of
from council_common.long_work.tables import Work
from council_common.long_work.usecases import cancel_work, resume_work
from council_common.recording import fact, record
from council_common.web.history import ChangeOut
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.intake.import_readings.store import offered_to
from invoice_service.intake.invoice_imports.importing import IMPORT_INVOICES, saved_of
from invoice_service.intake.invoice_imports.mappings import ColumnMapping, merged, must_fit
from invoice_service.intake.invoice_imports.rules import ImportStatus, NotInDoubt, Profile, may_import, status_of
from invoice_service.intake.invoice_imports.tables import InvoiceImport
from invoice_service.intake.invoice_imports.understanding import SavedReading


async def cancel_import(
    session: AsyncSession, import_id: UUID, *, note: str, by: Actor, at: datetime
) -> tuple[InvoiceImport, Work]:
    """Stop an import after the batch under way; what it has stored stays. Raises NotFound and IllegalMove."""
    import_ = await get_row(session, InvoiceImport, import_id)
    work = await cancel_work(session, IMPORT_INVOICES, import_id, by=by, at=at, note=note)
    await session.refresh(import_)
    return import_, work


async def resume_import(
    session: AsyncSession, import_id: UUID, *, note: str, by: Actor, at: datetime
) -> tuple[InvoiceImport, Work]:
    """Have a failed import go on behind its last stored line. Raises NotFound, IllegalMove and FailedForGood."""
    import_ = await get_row(session, InvoiceImport, import_id)
    may_import(by, import_.unknown_suppliers)
    work = await resume_work(session, IMPORT_INVOICES, import_id, by=by, at=at, note=note)
    await session.refresh(import_)
    return import_, work


async def answer_doubts(
    session: AsyncSession, import_id: UUID, mapping: ColumnMapping, *, note: str, by: Actor, at: datetime
) -> tuple[InvoiceImport, Work]:
    """Have an import that was in doubt go on with the reading that was meant. Raises NotFound and NotInDoubt."""
    [(asked, work)] = await with_work(session, [await get_row(session, InvoiceImport, import_id)])
    may_import(by, asked.unknown_suppliers)
    must_fit(mapping, asked.profile)
    if status_of(work.state, work.error) is not ImportStatus.IN_DOUBT:
        raise NotInDoubt("This import asks nothing; send the file again to have it read otherwise.")
    work = await resume_work(session, IMPORT_INVOICES, import_id, by=by, at=at, note=note)
    import_ = await lock_row(session, InvoiceImport, import_id)
    whole = merged(ColumnMapping.model_validate(import_.mapping or {}), mapping)
    import_.mapping = whole.model_dump(mode="json", exclude_defaults=True)
    answered = fact(import_, "doubts answered", detail={"mapping": import_.mapping, "note": note})
    await record(session, answered, by=by, at=at)
    return import_, work


async def saved_readings(session: AsyncSession, source_system: str, profile: Profile) -> list[SavedReading]:
    """How files of a source system were read before, the latest first."""
    return saved_of(await offered_to(session, source_system, profile))


async def with_work(session: AsyncSession, imports: Sequence[Any]) -> list[tuple[Any, Work]]:
    """Imports, or rows of their list, each with its work."""
    works = await works_of(session, IMPORT_INVOICES.name, [import_.id for import_ in imports])
    return [(import_, works[import_.id]) for import_ in imports]


def receipt_of(import_: InvoiceImport) -> ChangeOut:
    """The first line of an import's history. It is not stored twice: the import says who sent it and when."""
    return ChangeOut(
        version=1,
        at=import_.received_at,
        by=import_.received_by,
        by_name=import_.received_by_name,
        action="received",
        reason=None,
        detail={"filename": import_.filename, "source_system": import_.source_system},
    )
