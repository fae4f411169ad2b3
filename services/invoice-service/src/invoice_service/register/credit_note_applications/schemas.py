"""Applications of credit notes on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from council_common.contracts.fields import VatShare
from council_common.fields import Day, PositivePence, RequestModel, Sentence
from pydantic import BaseModel, Field

from invoice_service.register.credit_note_applications.rules import ApplicationStatus, RefundReason, ReversalReason


class CreditNoteApplicationIn(RequestModel):
    """A credit note and the invoice it is set against; without one the supplier is to refund it."""

    credit_note_id: UUID
    invoice_id: UUID | None = None
    applied_pence: Annotated[PositivePence | None, Field(description="As much as fits when absent.")] = None
    note: Sentence


class RefundIn(RequestModel):
    """The day the money came back from the supplier, or what became of it otherwise."""

    reason: RefundReason
    refunded_on: Day
    note: Sentence


class ReversalIn(RequestModel):
    """Why an application is taken back."""

    reason: ReversalReason
    note: Sentence


class CreditNoteApplicationOut(BaseModel):
    """What of a credit note was applied; `due_back_pence` is the money the supplier gives back for it.

    `deducted_pence` is the part of the rebate that goes with it, `vat_shares` what is applied per VAT rate.
    """

    id: UUID
    version: int
    credit_note_id: UUID
    invoice_id: UUID | None
    supplier_id: UUID
    applied_pence: int
    vat_shares: list[VatShare]
    after_payment: bool
    due_back_pence: int
    deducted_pence: int
    status: ApplicationStatus
    note: str
    applied_on: date
    applied_by: str
    applied_by_name: str
    applied_at: datetime
    refunded_on: date | None
    refund_reason: RefundReason | None
    reversed_on: date | None
    reversal_reason: ReversalReason | None
    reversed_by: str | None
    reversed_by_name: str | None

    @classmethod
    def of(cls, application: Any) -> Self:
        """From a stored application, or a row of the list."""
        return cls.model_validate(application, from_attributes=True)
