"""Holds on the wire."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from council_common.fields import Day, ShortName
from council_common.holds import HoldAnswer, HoldRequest
from pydantic import BaseModel, ConfigDict, Field, computed_field, model_validator

from debt_service.arrangements.holds.rules import HoldReason, NewHold, holds_all, shown_note


class HoldIn(HoldRequest):
    """A hold on one receivable, or on everything of a customer.

    A death and a breathing space are the customer's: they stop the notices of all their debts, whichever is named.
    """

    receivable_id: UUID | None = None
    customer_id: UUID | None = None
    reason: HoldReason
    owner: Annotated[ShortName, Field(description="The id of the officer or team responsible.")]
    review_on: Day
    ends_on: Annotated[
        Day | None,
        Field(
            description="Its last day; it is released by the calendar on the day after. A death has none, a breathing "
            "space in a mental health crisis need not have one: an officer releases them."
        ),
    ] = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.receivable_id is None) == (self.customer_id is None):
            raise ValueError("name receivable_id or customer_id, one of the two")
        return self

    def as_new(self) -> NewHold:
        """As the rules take it."""
        return NewHold(
            receivable_id=self.receivable_id,
            customer_id=self.customer_id,
            reason=self.reason,
            note=self.note,
            owner=self.owner,
            review_on=self.review_on,
            ends_on=self.ends_on,
        )


class HealthNotesOut(BaseModel):
    """The words of a hold and of its release."""

    note: str
    release_note: str | None


class HoldOut(HoldAnswer):
    """A hold. Words that may be about health are not in it: they are read under `/health-notes`."""

    model_config = ConfigDict(from_attributes=True)

    version: int
    customer_id: UUID
    receivable_id: UUID | None
    reason: HoldReason
    owner: str
    placed_on: date
    review_on: date
    ends_on: date | None

    @computed_field(description="Whether it holds everything of the customer, also what is raised later.")
    def holds_all(self) -> bool:
        """Of a customer, or of one receivable and for what is true of the person."""
        return holds_all(self.reason, receivable_id=self.receivable_id)

    @classmethod
    def of(cls, hold: Any) -> HoldOut:
        """From a stored hold, or a row of the list."""
        shown = cls.model_validate(hold)
        shown.note = shown_note(shown.reason, shown.note)
        shown.release_note = shown_note(shown.reason, shown.release_note)
        return shown
