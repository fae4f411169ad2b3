"""Dunning procedures on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from debt_service.fields import MAX_AMOUNT_PENCE, Day, Sentence, Short
from debt_service.ledger.customers.rules import CustomerKind
from debt_service.recovery.dunning_procedures.rules import Level, LevelChannel, NewProcedure
from debt_service.recovery.dunning_procedures.tables import DunningProcedure


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

    def as_new(self) -> NewProcedure:
        return NewProcedure(
            name=self.name,
            debt_type=self.debt_type,
            customer_kind=self.customer_kind,
            effective_from=self.effective_from,
            levels=tuple(level.as_level() for level in self.levels),
            source=self.source,
        )


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
