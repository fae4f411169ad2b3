"""Setting up a dunning procedure."""

from __future__ import annotations

from datetime import datetime

from council_common.database.history import record_change
from council_common.errors import FieldError
from council_common.identity.actor import Actor
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.recovery.dunning_procedures import store
from debt_service.recovery.dunning_procedures.rules import NewProcedure, ProcedureExists, check_levels
from debt_service.recovery.dunning_procedures.tables import DunningProcedure


async def set_up_procedure(session: AsyncSession, new: NewProcedure, *, by: Actor, at: datetime) -> DunningProcedure:
    """Add a version; raises LevelsOutOfOrder, and ProcedureExists when that day has one for the same debts."""
    check_levels(new.levels)
    procedure_id = new_id()
    if not await store.insert_procedure(session, procedure_id, new, by=by.subject, at=at):
        errors = [FieldError("effective_from", "there is a version from this day", "another day")]
        raise ProcedureExists("A procedure for these debts begins on that day already.", errors=errors)
    await record_change(
        session, entity="dunning_procedure", entity_id=procedure_id, version=1, action="set_up", by=by, at=at
    )
    return await store.get_procedure(session, procedure_id)
