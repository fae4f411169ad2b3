"""Every query about dunning procedures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.recovery.dunning_procedures.rules import Ladder, NewProcedure, ProcedureNotFound
from debt_service.recovery.dunning_procedures.tables import DunningProcedure


async def insert_procedure(
    session: AsyncSession, procedure_id: UUID, new: NewProcedure, *, by: str, at: datetime
) -> bool:
    """Add a version; False when there is one for the same debts from the same day."""
    added = await session.scalar(
        insert(DunningProcedure)
        .values(
            id=procedure_id,
            name=new.name,
            debt_type=new.debt_type,
            customer_kind=new.customer_kind,
            effective_from=new.effective_from,
            levels=[asdict(level) for level in new.levels],
            source=new.source,
            created_by=by,
            created_at=at,
        )
        .on_conflict_do_nothing()
        .returning(col(DunningProcedure.id))
    )
    return added is not None


async def get_procedure(session: AsyncSession, procedure_id: UUID) -> DunningProcedure:
    """One version; raises ProcedureNotFound."""
    procedure = await session.get(DunningProcedure, procedure_id)
    if procedure is None:
        raise ProcedureNotFound("There is no dunning procedure with this id.")
    return procedure


def all_procedures() -> Select[tuple[DunningProcedure]]:
    """Every version of every procedure."""
    return select(DunningProcedure)


async def ladders_as_at(session: AsyncSession, as_at: date) -> list[Ladder]:
    """Every version that began by a day."""
    procedures = await session.scalars(select(DunningProcedure).where(col(DunningProcedure.effective_from) <= as_at))
    return [procedure.ladder() for procedure in procedures]


async def ladders_by_id(session: AsyncSession, procedure_ids: Sequence[UUID]) -> dict[UUID, Ladder]:
    """Some versions by their ids."""
    procedures = await session.scalars(select(DunningProcedure).where(col(DunningProcedure.id).in_(procedure_ids)))
    return {procedure.id: procedure.ladder() for procedure in procedures}
