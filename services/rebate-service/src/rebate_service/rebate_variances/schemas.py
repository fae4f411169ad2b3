"""Variances on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from council_common.fields import RequestModel, Sentence
from pydantic import BaseModel, Field

from rebate_service.rebate_variances.rules import Resolution, VarianceStatus
from rebate_service.rebates.rules import VarianceCause


class ResolutionIn(RequestModel):
    """How a variance was resolved."""

    resolution: Annotated[
        Resolution, Field(description="What it came down to; the last two are set by the platform only.")
    ]
    note: Sentence | None = None


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
    resolved_by_name: str | None

    @classmethod
    def of(cls, variance: Any) -> Self:
        return cls.model_validate(variance, from_attributes=True)
