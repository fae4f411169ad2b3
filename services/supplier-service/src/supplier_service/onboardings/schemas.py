"""Onboardings on the wire."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from council_common.fields import Code, Day, RequestModel, Sentence, ShortName
from council_common.money import Percent
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from supplier_service.onboardings import rules
from supplier_service.onboardings.rules import ActivityKind, Stage
from supplier_service.onboardings.tables import OnboardingActivity
from supplier_service.onboardings.usecases import StageReached


class EarlyPaymentTerms(RequestModel):
    """What a supplier agreed to.

    The clocks, the base, the VAT mode and the way of collecting have no default: they are agreed, never inferred. The
    programmes published differ in them, and a rebate is a decrease in consideration (VAT Regulations 1995 reg 38).
    """

    agreed_on: Day
    effective_from: Day
    term_days: Annotated[StrictInt, Field(ge=1, le=365)] = 30
    reference_rate_percent: Percent = Decimal("1.00")
    target_day: Annotated[StrictInt, Field(ge=0, le=364)] = 10
    clock_start: Literal["received", "valid_invoice"]
    clock_end: Literal["run_date", "funds_arrival"]
    rebate_base: Literal["net", "gross"]
    vat_mode: Literal["reduce_net_and_vat", "net_only"]
    collection: Literal["deduct_at_source", "claim"]


class StageIn(RequestModel):
    """A stage a supplier reached. `agreed` takes terms; `declined` may take a reason, a code."""

    stage: Literal[Stage.CONTACTED, Stage.INTERESTED, Stage.AGREED, Stage.DECLINED]
    on: Annotated[
        Day | None,
        Field(
            description="Where left out the day the terms were agreed, else today; never in the future, nor before the "
            "stage it follows."
        ),
    ] = None
    terms: EarlyPaymentTerms | None = None
    reason: Annotated[Code | None, Field(examples=["terms"])] = None
    note: Sentence | None = None

    def reached(self) -> StageReached:
        """The stage as the use case takes it. Raises UnsoundTerms."""
        return _reached(self.stage, on=self.on, terms=self.terms, reason=self.reason, note=self.note)


class OnboardingIn(RequestModel):
    """A supplier to win, or one that has reached a stage already, with its terms when it agreed.

    A prospect has reached nothing yet: it takes neither `on` nor `reason`.
    """

    supplier_id: UUID
    owner: Annotated[ShortName | None, Field(examples=["j.okafor"])] = None
    stage: Stage = Stage.PROSPECT
    on: Day | None = None
    terms: EarlyPaymentTerms | None = None
    reason: Code | None = None
    note: Sentence | None = None

    def reached(self) -> StageReached:
        """The stage as the use case takes it. Raises UnsoundTerms."""
        return _reached(self.stage, on=self.on, terms=self.terms, reason=self.reason, note=self.note)


def _reached(
    stage: Stage, *, on: date | None, terms: EarlyPaymentTerms | None, reason: str | None, note: str | None
) -> StageReached:
    if terms is not None:
        rules.check_terms(
            term_days=terms.term_days,
            target_day=terms.target_day,
            reference_rate_percent=terms.reference_rate_percent,
        )
    return StageReached(stage, on, terms.model_dump(mode="json") if terms else None, reason, note)


class ActivityIn(RequestModel):
    """Something done to win a supplier."""

    kind: ActivityKind
    on: Day
    text: Annotated[Sentence, Field(examples=["Spoke to the finance manager; sends the contract to her director"])]


class ActivityOut(BaseModel):
    """Something done to win a supplier."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: ActivityKind
    on: date
    text: str
    added_by: str
    added_by_name: str
    added_at: datetime

    @classmethod
    def of(cls, activity: OnboardingActivity) -> ActivityOut:
        return cls.model_validate(activity)


class OnboardingOut(BaseModel):
    """How far a supplier is on its way; `terms` are those agreed last."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    supplier_id: UUID
    stage: Stage
    stage_on: date
    owner: str | None
    terms: EarlyPaymentTerms | None
    opened_by: str
    opened_by_name: str
    opened_at: datetime

    @classmethod
    def of(cls, onboarding: Any) -> OnboardingOut:
        """A stored onboarding, or a row of the list."""
        return cls.model_validate(onboarding)
