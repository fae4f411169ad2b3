"""The statements on saved readings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from council_common.ids import lock_key
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.intake.import_readings.tables import ImportReading

MOST_OFFERED: Final = 20
_C: Any = ImportReading.__table__.c  # type: ignore[attr-defined]


async def offered_to(session: AsyncSession, source_system: str, profile: str) -> Sequence[ImportReading]:
    """The readings of a source system's files, the latest first."""
    found = await session.execute(
        select(ImportReading)
        .where(_C.source_system == source_system, _C.profile == profile, _C.withdrawn_at.is_(None))
        .order_by(_C.recorded_at.desc(), _C.id)
        .limit(MOST_OFFERED)
    )
    return found.scalars().all()


async def lock_layout(session: AsyncSession, source_system: str, profile: str, layout: str) -> ImportReading | None:
    """The reading of a layout, locked; nobody adds one of this layout meanwhile."""
    key = lock_key(f"import_readings/{source_system}/{profile}/{layout}")
    await session.execute(select(func.pg_advisory_xact_lock(key)))
    found = await session.execute(
        select(ImportReading)
        .where(_C.source_system == source_system, _C.profile == profile, _C.layout == layout)
        .with_for_update()
    )
    return found.scalar_one_or_none()
