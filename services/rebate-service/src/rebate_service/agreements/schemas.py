"""Agreements on the wire."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Self
from uuid import UUID

from council_common.contracts.early_payment import ProgrammeDay
from council_common.contracts.fields import Rate, SupplierId
from pydantic import BaseModel, ConfigDict, Field

from rebate_service.agreements import rules
from rebate_service.agreements.rules import (
    AgreementStatus,
    ClockEnd,
    ClockStart,
    Collection,
    RebateBase,
    Terms,
    VatMode,
)
from rebate_service.agreements.tables import Agreement, AgreementVersion

Note = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
"""Why, in a person's words; PostgreSQL stores no NUL character."""


class TermsIn(BaseModel):
    """Terms of early payment. All are required: they differ by council and are agreed, never inferred."""

    model_config = ConfigDict(extra="forbid")

    reference_rate_percent: Annotated[Rate, Field(description="Earned on the target day.")]
    target_day: Annotated[int, Field(ge=0, le=364, examples=[10])]
    term_days: Annotated[int, Field(ge=1, le=365, examples=[30], description="From this day on nothing is earned.")]
    clock_start: ClockStart
    clock_end: ClockEnd
    rebate_base: RebateBase
    vat_mode: VatMode
    collection: Collection

    def terms(self) -> Terms:
        return Terms.named_in(self)

    @classmethod
    def of(cls, terms: Terms) -> Self:
        return cls.model_validate(asdict(terms))


class VersionIn(TermsIn):
    """New terms of an agreement, from a day on."""

    effective_from: ProgrammeDay


class AgreementIn(VersionIn):
    """A supplier's first agreement."""

    supplier_id: SupplierId


class EndingIn(BaseModel):
    """The last day of an agreement."""

    model_config = ConfigDict(extra="forbid")

    effective_to: ProgrammeDay
    reason: Note | None = None


class AgreementOut(BaseModel):
    """An agreement by one of its versions; `revision` is what its ETag carries."""

    id: UUID
    supplier_id: UUID
    version: int
    effective_from: date
    effective_to: date | None
    term_days: int
    reference_rate_percent: Rate
    target_day: int
    clock_start: ClockStart
    clock_end: ClockEnd
    rebate_base: RebateBase
    vat_mode: VatMode
    collection: Collection
    status: AgreementStatus
    revision: int

    @classmethod
    def of(cls, agreement: Agreement, version: AgreementVersion, today: date) -> Self:
        return cls(
            id=agreement.id,
            supplier_id=agreement.supplier_id,
            version=version.number,
            effective_from=version.effective_from,
            effective_to=version.effective_to,
            status=rules.status_on(version, today),
            revision=agreement.revision,
            **asdict(version.terms),
        )
