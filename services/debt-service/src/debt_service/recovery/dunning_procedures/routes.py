"""/v1/dunning-procedures."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import Now, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery, fetch_page
from fastapi import Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from debt_service.fields import MAX_AMOUNT_PENCE, Day, Sentence, Short
from debt_service.ledger.customers.rules import CustomerKind
from debt_service.recovery.dunning_procedures.rules import Level, LevelChannel
from debt_service.recovery.dunning_procedures.tables import DunningProcedure
from debt_service.recovery.dunning_procedures.usecases import get_procedure, set_up_procedure

router = resource_router("dunning-procedures")


class LevelIn(BaseModel):
    """One step of a ladder."""

    model_config = ConfigDict(extra="forbid")

    level: Annotated[int, Field(strict=True, ge=1, le=20)]
    days_overdue: Annotated[int, Field(strict=True, ge=1, le=3650)]
    interval_days: Annotated[
        int,
        Field(
            strict=True, ge=0, le=3650, description="Days since the last notice was sent; at least 1 from level 2 on."
        ),
    ] = 0
    template: Annotated[Short, Field(examples=["reminder"])]
    channel: LevelChannel = LevelChannel.PREFERRED
    minimum_pence: Annotated[int, Field(strict=True, ge=1, le=MAX_AMOUNT_PENCE)] = 1
    stops: Annotated[bool, Field(description="After this level an officer decides; only on the last.")] = False

    def as_level(self) -> Level:
        return Level(**self.model_dump(exclude={"channel"}), channel=self.channel)


class ProcedureIn(BaseModel):
    """A version of a procedure: for a type of debt or a kind of customer, or (both absent) for all."""

    model_config = ConfigDict(extra="forbid")

    name: Short
    debt_type: Short | None = None
    customer_kind: CustomerKind | None = None
    effective_from: Day
    levels: Annotated[list[LevelIn], Field(min_length=1, max_length=20)]
    source: Annotated[Sentence, Field(description="Whose decision: a policy, a minute, a law.")]


class ProcedureOut(BaseModel):
    """A version of a procedure."""

    id: UUID
    name: str
    debt_type: str | None
    customer_kind: str | None
    effective_from: date
    levels: list[LevelIn]
    source: str
    created_by: str
    created_at: datetime

    @staticmethod
    def of(procedure: DunningProcedure) -> ProcedureOut:
        return ProcedureOut.model_validate(procedure.values())


@router.post("", status_code=201, dependencies=[Idempotent])
async def set_up(
    body: ProcedureIn, session: SessionDep, now: Now, by: Annotated[Actor, requires("dunning:write")]
) -> ProcedureOut:
    """Set up a ladder from a day on; earlier versions stay as they are."""
    procedure = await set_up_procedure(
        session,
        name=body.name,
        debt_type=body.debt_type,
        customer_kind=body.customer_kind,
        effective_from=body.effective_from,
        levels=[each.as_level() for each in body.levels],
        source=body.source,
        by=by,
        at=now,
    )
    return ProcedureOut.of(procedure)


@router.get("")
async def list_procedures(
    session: SessionDep, page: Annotated[PageQuery, Depends()], _: Annotated[Actor, requires("dunning:read")]
) -> Page[ProcedureOut]:
    """Every version of every procedure."""
    items, cursor = await fetch_page(
        session,
        select(DunningProcedure),
        query=page,
        sortable={"effective_from": DunningProcedure.effective_from, "name": DunningProcedure.name},
        default="effective_from",
        id_column=DunningProcedure.id,
    )
    return Page(items=[ProcedureOut.of(each) for each in items], next=cursor)


@router.get("/{procedure_id}")
async def get(procedure_id: UUID, session: SessionDep, _: Annotated[Actor, requires("dunning:read")]) -> ProcedureOut:
    """One version."""
    return ProcedureOut.of(await get_procedure(session, procedure_id))


@router.get("/{procedure_id}/history")
async def history(
    procedure_id: UUID, session: SessionDep, _: Annotated[Actor, requires("dunning:read")]
) -> list[ChangeOut]:
    """Who set a version up, and when."""
    await get_procedure(session, procedure_id)
    return await history_of(session, procedure_id)
