"""Agreements on the wire."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from council_common.contracts.fields import Rate, SupplierId
from council_common.fields import Day, RequestModel, Sentence
from pydantic import BaseModel, Field, StrictInt

from rebate_service.agreements import rules
from rebate_service.agreements.rules import (
    AgreementStatus,
    AgreementWarning,
    ClockEnd,
    ClockStart,
    Collection,
    RebateBase,
    Terms,
    VatMode,
)
from rebate_service.agreements.tables import AgreementVersion


class TermsIn(RequestModel):
    """Terms of early payment. All are required: they differ by council and are agreed, never inferred."""

    reference_rate_percent: Annotated[Rate, Field(description="Earned on the target day.")]
    target_day: Annotated[StrictInt, Field(ge=0, le=364, examples=[10])]
    term_days: Annotated[StrictInt, Field(ge=1, le=365, examples=[30], description="Nothing is earned from then on.")]
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

    effective_from: Day


class AgreementIn(VersionIn):
    """A supplier's first agreement."""

    supplier_id: SupplierId


class EndingIn(RequestModel):
    """The last day of an agreement, and why in a person's words."""

    effective_to: Day
    note: Sentence | None = None


class AgreementOut(BaseModel):
    """An agreement by one of its versions, which is `agreement_version`; `version` is what the ETag carries.

    `warnings` is what is unwise about its terms: they reward payments later than Procurement Act 2023 s68(2) allows.
    """

    id: UUID
    supplier_id: UUID
    version: int
    agreement_version: int
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
    warnings: list[AgreementWarning]

    @classmethod
    def of(cls, agreement: Any, version: AgreementVersion, today: date) -> Self:
        return cls(
            id=agreement.id,
            supplier_id=agreement.supplier_id,
            version=agreement.version,
            agreement_version=version.number,
            effective_from=version.effective_from,
            effective_to=version.effective_to,
            status=rules.status_on(version, today),
            warnings=rules.warnings_of(version.terms),
            **asdict(version.terms),
        )
