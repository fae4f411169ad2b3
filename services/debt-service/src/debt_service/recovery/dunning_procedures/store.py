"""The statements on dunning procedures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.recovery.dunning_procedures.rules import Ladder
from debt_service.recovery.dunning_procedures.tables import DunningProcedure


async def ladders_as_at(session: AsyncSession, as_at: date) -> list[Ladder]:
    """Every version that began by a day."""
    procedures = await session.scalars(select(DunningProcedure).where(col(DunningProcedure.effective_from) <= as_at))
    return [procedure.ladder() for procedure in procedures]


async def ladders_by_id(session: AsyncSession, procedure_ids: Sequence[UUID]) -> dict[UUID, Ladder]:
    """Some versions by their ids."""
    procedures = await session.scalars(select(DunningProcedure).where(col(DunningProcedure.id).in_(procedure_ids)))
    return {procedure.id: procedure.ladder() for procedure in procedures}
