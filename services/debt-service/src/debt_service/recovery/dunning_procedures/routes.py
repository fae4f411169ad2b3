"""Dunning procedures over HTTP."""

from __future__ import annotations

from typing import Annotated

from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.dependencies import RuntimeDep
from council_common.web.resource_routes import reading_routes

from debt_service.recovery.dunning_procedures.lists import ProcedureList
from debt_service.recovery.dunning_procedures.schemas import ProcedureIn, ProcedureOut
from debt_service.recovery.dunning_procedures.tables import DunningProcedure
from debt_service.recovery.dunning_procedures.usecases import set_up_procedure

router = resource_router("dunning-procedures")


@router.post("", status_code=201)
async def set_up(
    procedure: ProcedureIn, runtime: RuntimeDep, act: Annotated[Act, acting("dunning:write")]
) -> ProcedureOut:
    """Set up a ladder from a day on; earlier versions stay as they are.

    Its templates must be there, at notification-service, and need no value that a notice has not.
    """
    added = await set_up_procedure(act.session, procedure.as_new(), clients=runtime.clients, by=act.by, at=act.at)
    act.answers(f"{router.prefix}/{added.id}", added.version)
    return ProcedureOut.of(added)


reading_routes(router, ProcedureList, ProcedureOut, of=DunningProcedure, scope="dunning:read")
