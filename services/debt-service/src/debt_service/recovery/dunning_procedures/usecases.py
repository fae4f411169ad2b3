"""Setting up ladders and finding the ones in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

from council_common.database.history import record_change
from council_common.errors import FieldError
from council_common.identity.actor import Actor
from council_common.ids import new_id
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.recovery.dunning_procedures.rules import (
    Ladder,
    Level,
    ProcedureExists,
    ProcedureNotFound,
    check_levels,
)
from debt_service.recovery.dunning_procedures.tables import DunningProcedure


async def set_up_procedure(
    session: AsyncSession,
    *,
    name: str,
    debt_type: str | None,
    customer_kind: str | None,
    effective_from: date,
    levels: Sequence[Level],
    source: str,
    by: Actor,
    at: datetime,
) -> DunningProcedure:
    """Add a version; raises LevelsOutOfOrder, and ProcedureExists when that day has one for the same debts."""
    check_levels(levels)
    procedure_id = new_id()
    added = await session.scalar(
        insert(DunningProcedure)
        .values(
            id=procedure_id,
            name=name,
            debt_type=debt_type,
            customer_kind=customer_kind,
            effective_from=effective_from,
            levels=[asdict(level) for level in levels],
            source=source,
            created_by=by.subject,
            created_at=at,
        )
        .on_conflict_do_nothing()
        .returning(col(DunningProcedure.id))
    )
    if added is None:
        errors = [FieldError("effective_from", "there is a version from this day", "another day")]
        raise ProcedureExists("A procedure for these debts begins on that day already.", errors=errors)
    await record_change(
        session, entity="dunning_procedure", entity_id=procedure_id, version=1, action="set_up", by=by, at=at
    )
    return await get_procedure(session, procedure_id)


async def get_procedure(session: AsyncSession, procedure_id: UUID) -> DunningProcedure:
    """One version; raises ProcedureNotFound."""
    procedure = await session.get(DunningProcedure, procedure_id)
    if procedure is None:
        raise ProcedureNotFound("There is no dunning procedure with this id.")
    return procedure


async def ladders_as_at(session: AsyncSession, as_at: date) -> list[Ladder]:
    """Every version that began by a day."""
    rows = await session.scalars(select(DunningProcedure).where(col(DunningProcedure.effective_from) <= as_at))
    return [each.ladder() for each in rows]


async def ladders_by_id(session: AsyncSession, procedure_ids: Sequence[UUID]) -> dict[UUID, Ladder]:
    """Some versions by their ids."""
    rows = await session.scalars(select(DunningProcedure).where(col(DunningProcedure.id).in_(procedure_ids)))
    return {each.id: each.ladder() for each in rows}
