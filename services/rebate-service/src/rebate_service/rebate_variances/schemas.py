"""Variances on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from rebate_service.agreements.schemas import Note
from rebate_service.rebate_variances.rules import Resolution, VarianceStatus
from rebate_service.rebate_variances.tables import RebateVariance
from rebate_service.rebates.rules import VarianceCause


class ResolutionIn(BaseModel):
    """How a variance was resolved."""

    model_config = ConfigDict(extra="forbid")

    resolution: Annotated[
        Resolution, Field(description="What it came down to; the last two are set by the platform only.")
    ]
    note: Note | None = None


class VarianceOut(BaseModel):
    """A variance; `difference_pence` is what was deducted less what was earned."""

    id: UUID
    version: int
    rebate_id: UUID
    invoice_id: UUID
    payment_id: UUID
    supplier_id: UUID
    invoice_number: str
    earned_pence: int
    deducted_pence: int
    difference_pence: int
    cause: VarianceCause
    owner: str
    status: VarianceStatus
    resolution: Resolution | None
    note: str | None
    found_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None

    @classmethod
    def of(cls, variance: RebateVariance) -> Self:
        return cls.model_validate(variance, from_attributes=True)
