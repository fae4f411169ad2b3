"""Saved readings over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.rows import get_row
from council_common.fields import NoteIn
from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.resource_routes import reading_routes

from invoice_service.intake.import_readings.lists import ImportReadingList
from invoice_service.intake.import_readings.schemas import ImportReadingOut
from invoice_service.intake.import_readings.tables import ImportReading
from invoice_service.intake.import_readings.usecases import withdraw_reading

router = resource_router("import-readings")

reading_routes(router, ImportReadingList, ImportReadingOut, of=ImportReading, scope="invoices:read")


@router.post("/{import_reading_id}/withdrawals", status_code=201)
async def withdraw(
    import_reading_id: UUID, withdrawal: NoteIn, act: Annotated[Act, acting("invoices:write")]
) -> ImportReadingOut:
    """Offer a reading no more: the next file of its layout is read anew, and asked about where it is in doubt."""
    offered = await get_row(act.session, ImportReading, import_reading_id)
    await act.sources.may_use(offered.source_system, field="source_system")
    reading = await withdraw_reading(act.session, import_reading_id, note=withdrawal.note, by=act.by, at=act.at)
    act.answers(f"{router.prefix}/{reading.id}", reading.version)
    return ImportReadingOut.of(reading)
