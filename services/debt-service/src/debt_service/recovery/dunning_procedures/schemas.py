"""Dunning procedures on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Day, Description, PositivePence, RequestModel, ShortName
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from debt_service.ledger.customers.rules import CustomerKind
from debt_service.recovery.dunning_procedures.rules import Level, LevelChannel, NewProcedure


class LevelIn(RequestModel):
    """One step of a ladder."""

    level: Annotated[int, Field(strict=True, ge=1, le=20)]
    days_overdue: Annotated[int, Field(strict=True, ge=1, le=3650)]
    interval_days: Annotated[
        int,
        Field(
            strict=True, ge=0, le=3650, description="Days since the last notice was sent; at least 1 from level 2 on."
        ),
    ] = 0
    template: Annotated[ShortName, Field(examples=["reminder"])]
    channel: LevelChannel = LevelChannel.PREFERRED
    minimum_pence: PositivePence = 1
    stops: Annotated[StrictBool, Field(description="After this level an officer decides; only on the last.")] = False

    def as_level(self) -> Level:
        """As the rules take it."""
        return Level(**self.model_dump(exclude={"channel"}), channel=self.channel)


class ProcedureIn(RequestModel):
    """A version of a procedure: for a type of debt or a kind of customer, or (both absent) for all."""

    name: ShortName
    debt_type: ShortName | None = None
    customer_kind: CustomerKind | None = None
    effective_from: Day
    levels: Annotated[list[LevelIn], Field(min_length=1, max_length=20)]
    source: Annotated[Description, Field(description="Whose decision: a policy, a minute, a law.")]

    def as_new(self) -> NewProcedure:
        """As the rules take it."""
        return NewProcedure(
            name=self.name,
            debt_type=self.debt_type,
            customer_kind=self.customer_kind,
            effective_from=self.effective_from,
            levels=tuple(level.as_level() for level in self.levels),
            source=self.source,
        )


class LevelOut(BaseModel):
    """One step of a ladder."""

    level: int
    days_overdue: int
    interval_days: int
    template: str
    channel: LevelChannel
    minimum_pence: int
    stops: bool


class ProcedureOut(BaseModel):
    """A version of a procedure."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    name: str
    debt_type: str | None
    customer_kind: CustomerKind | None
    effective_from: date
    levels: list[LevelOut]
    source: str
    created_by: str
    created_by_name: str
    created_at: datetime

    @classmethod
    def of(cls, procedure: Any) -> ProcedureOut:
        """From a stored procedure, or a row of the list."""
        return cls.model_validate(procedure)
