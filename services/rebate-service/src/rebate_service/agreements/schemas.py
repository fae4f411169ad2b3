"""Agreements on the wire."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Self
from uuid import UUID

from council_common.contracts.fields import Day, Rate, SupplierId
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


class TermsIn(BaseModel):
    """Terms of early payment; what is not said is the council model: term 30, target day 10, deducted at source."""

    model_config = ConfigDict(extra="forbid")

    reference_rate_percent: Annotated[Rate, Field(description="Earned on the target day.")]
    target_day: Annotated[int, Field(ge=0, le=364, examples=[10])] = 10
    term_days: Annotated[int, Field(ge=1, le=365, examples=[30], description="From this day on nothing is earned.")] = (
        30
    )
    clock_start: ClockStart = ClockStart.RECEIVED
    clock_end: ClockEnd = ClockEnd.RUN_DATE
    rebate_base: RebateBase = RebateBase.NET
    vat_mode: VatMode = VatMode.REDUCE_NET_AND_VAT
    collection: Collection = Collection.DEDUCT_AT_SOURCE

    def terms(self) -> Terms:
        return Terms(**{name: getattr(self, name) for name in TermsIn.model_fields})

    @classmethod
    def of(cls, terms: Terms) -> Self:
        return cls.model_validate(asdict(terms))


class VersionIn(TermsIn):
    """New terms of an agreement, from a day on."""

    effective_from: Day


class AgreementIn(VersionIn):
    """A supplier's first agreement."""

    supplier_id: SupplierId


class EndingIn(BaseModel):
    """The last day of an agreement."""

    model_config = ConfigDict(extra="forbid")

    effective_to: Day
    reason: Annotated[str | None, Field(max_length=500)] = None


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
