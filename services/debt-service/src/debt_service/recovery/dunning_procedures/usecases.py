"""Setting up a dunning procedure."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from asyncpg import UniqueViolationError
from council_common.errors import FieldError
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import fact, record
from council_common.runtime.clients import ServiceClients
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.recovery.dunning_procedures.rules import NewProcedure, ProcedureExists, check_levels, check_templates
from debt_service.recovery.dunning_procedures.tables import DunningProcedure
from debt_service.recovery.dunning_procedures.templates import ask_for_templates


async def set_up_procedure(
    session: AsyncSession, new: NewProcedure, *, clients: ServiceClients, by: Actor, at: datetime
) -> DunningProcedure:
    """Add a version, once notification-service knows its templates.

    Raises LevelsOutOfOrder, TemplateNotUsable, ProcedureExists when that day has one for the same debts, and
    Unavailable where notification-service cannot be asked.
    """
    check_levels(new.levels)
    check_templates(new.levels, await ask_for_templates(clients, [level.template for level in new.levels]))
    procedure = DunningProcedure(
        id=new_id(),
        version=0,
        name=new.name,
        debt_type=new.debt_type,
        customer_kind=new.customer_kind,
        effective_from=new.effective_from,
        levels=[asdict(level) for level in new.levels],
        source=new.source,
        created_by=by.subject,
        created_by_name=by.name,
        created_at=at,
    )
    try:
        await record(session, fact(procedure, "set up"), by=by, at=at)
    except UniqueViolationError:
        errors = [FieldError("effective_from", "there is a version from this day", "another day")]
        raise ProcedureExists("A procedure for these debts begins on that day already.", errors=errors) from None
    return procedure
