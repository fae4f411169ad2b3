"""Payment exceptions on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from council_common.fields import RequestModel, Sentence
from pydantic import BaseModel, Field

from invoice_service.paying.payment_exceptions.rules import ExceptionKind, ExceptionStatus, Resolution


class ResolutionIn(RequestModel):
    """What an exception came down to, and why in a person's words."""

    resolution: Annotated[
        Resolution,
        Field(description="With money to recover one that says where it went; the last two are the platform's."),
    ]
    note: Sentence
    customer_id: Annotated[
        UUID | None,
        Field(description="With `receivable_raised`, who is charged; the customer of the supplier's source if absent."),
    ] = None


class PaymentExceptionOut(BaseModel):
    """A rule that a payment broke; `recover_pence` is the money in it that the supplier should give back.

    `receivable_id` is the charge at debt-service that the money became, a moment after it was resolved so.
    """

    id: UUID
    version: int
    payment_id: UUID
    invoice_id: UUID
    invoice_number: str
    supplier_id: UUID
    kind: ExceptionKind
    recover_pence: int
    hold_reasons: list[str]
    remitted_on: date
    found_at: datetime
    status: ExceptionStatus
    resolution: Resolution | None
    note: str | None
    customer_id: UUID | None
    receivable_id: UUID | None
    resolved_by: str | None
    resolved_by_name: str | None
    resolved_at: datetime | None

    @classmethod
    def of(cls, found: Any) -> Self:
        """From a stored exception, or a row of the list."""
        return cls.model_validate(found, from_attributes=True)
