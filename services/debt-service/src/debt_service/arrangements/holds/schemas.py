"""Holds on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from debt_service.arrangements.holds.rules import HoldKind, NewHold
from debt_service.arrangements.holds.tables import Hold
from debt_service.fields import Day, Sentence, Short


class HoldIn(BaseModel):
    """A hold on one receivable, or on everything of a customer."""

    model_config = ConfigDict(extra="forbid")

    receivable_id: UUID | None = None
    customer_id: UUID | None = None
    kind: HoldKind
    reason: Sentence
    owner: Annotated[Short, Field(description="The id of the officer or team responsible.")]
    review_on: Day
    ends_on: Annotated[Day, Field(description="Its last day; it is released by the calendar on the day after.")]

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.receivable_id is None) == (self.customer_id is None):
            raise ValueError("name receivable_id or customer_id, one of the two")
        return self

    def as_new(self) -> NewHold:
        return NewHold(**{name: getattr(self, name) for name in NewHold.__slots__})


class ReleaseIn(BaseModel):
    """Why a hold ends."""

    model_config = ConfigDict(extra="forbid")

    reason: Sentence


class HoldOut(BaseModel):
    """A hold."""

    id: UUID
    version: int
    customer_id: UUID
    receivable_id: UUID | None
    kind: HoldKind
    reason: str
    owner: str
    placed_on: date
    review_on: date
    ends_on: date
    placed_by: str
    placed_at: datetime
    released_at: datetime | None
    released_by: str | None
    release_reason: str | None

    @staticmethod
    def of(hold: Hold) -> HoldOut:
        return HoldOut(**hold.values())
