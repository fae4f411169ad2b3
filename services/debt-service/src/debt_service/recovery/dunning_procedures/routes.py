"""/v1/dunning-procedures."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import Now, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery, fetch_page
from fastapi import Depends

from debt_service.recovery.dunning_procedures import store
from debt_service.recovery.dunning_procedures.schemas import ProcedureIn, ProcedureOut
from debt_service.recovery.dunning_procedures.tables import DunningProcedure
from debt_service.recovery.dunning_procedures.usecases import set_up_procedure

router = resource_router("dunning-procedures")


@router.post("", status_code=201, dependencies=[Idempotent])
async def set_up(
    procedure: ProcedureIn, session: SessionDep, now: Now, by: Annotated[Actor, requires("dunning:write")]
) -> ProcedureOut:
    """Set up a ladder from a day on; earlier versions stay as they are."""
    return ProcedureOut.of(await set_up_procedure(session, procedure.as_new(), by=by, at=now))


@router.get("")
async def list_procedures(
    session: SessionDep, page: Annotated[PageQuery, Depends()], _: Annotated[Actor, requires("dunning:read")]
) -> Page[ProcedureOut]:
    """Every version of every procedure."""
    procedures, cursor = await fetch_page(
        session,
        store.all_procedures(),
        query=page,
        sortable={"effective_from": DunningProcedure.effective_from, "name": DunningProcedure.name},
        default="effective_from",
        id_column=DunningProcedure.id,
    )
    return Page(items=[ProcedureOut.of(procedure) for procedure in procedures], next=cursor)


@router.get("/{procedure_id}")
async def get(procedure_id: UUID, session: SessionDep, _: Annotated[Actor, requires("dunning:read")]) -> ProcedureOut:
    """One version."""
    return ProcedureOut.of(await store.get_procedure(session, procedure_id))


@router.get("/{procedure_id}/history")
async def history(
    procedure_id: UUID, session: SessionDep, _: Annotated[Actor, requires("dunning:read")]
) -> list[ChangeOut]:
    """Who set a version up, and when."""
    await store.get_procedure(session, procedure_id)
    return await history_of(session, procedure_id)
