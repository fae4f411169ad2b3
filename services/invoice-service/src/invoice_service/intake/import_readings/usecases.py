"""Saving how a file was read, and taking that back."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.rows import lock_row
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import fact, record
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.intake.import_readings import store
from invoice_service.intake.import_readings.rules import ReadingWithdrawn
from invoice_service.intake.import_readings.tables import ImportReading


async def save_reading(
    session: AsyncSession,
    *,
    source_system: str,
    profile: str,
    header: list[str],
    mapping: dict[str, Any],
    import_id: UUID,
    by: Actor,
    at: datetime,
) -> ImportReading:
    """Keep how a layout is read; what is kept already and says the same stays as it is."""
    layout = hashlib.sha256("\x1f".join(header).encode()).hexdigest()
    reading = await store.lock_layout(session, source_system, profile, layout)
    if reading is not None and reading.mapping == mapping and reading.withdrawn_at is None:
        return reading
    if reading is None:
        reading = ImportReading(
            id=new_id(),
            source_system=source_system,
            profile=profile,
            layout=layout,
            header=header,
            mapping=mapping,
            import_id=import_id,
            recorded_by=by.subject,
            recorded_by_name=by.name,
            recorded_at=at,
        )
    else:
        reading.mapping, reading.import_id, reading.withdrawn_at = mapping, import_id, None
        reading.recorded_by, reading.recorded_by_name, reading.recorded_at = by.subject, by.name, at
    await record(
        session, fact(reading, "saved", detail={"mapping": mapping, "import_id": str(import_id)}), by=by, at=at
    )
    return reading


async def withdraw_reading(
    session: AsyncSession, reading_id: UUID, *, note: str, by: Actor, at: datetime
) -> ImportReading:
    """Offer a reading no more: the next file of its layout is asked about anew. Raises ReadingWithdrawn."""
    reading = await lock_row(session, ImportReading, reading_id)
    if reading.withdrawn_at is not None:
        raise ReadingWithdrawn("This reading was withdrawn before.")
    reading.withdrawn_at = at
    await record(session, fact(reading, "withdrawn", detail={"note": note}), by=by, at=at)
    return reading
