"""The table of applications of credit notes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import BigInteger, CheckConstraint, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from invoice_service.register.credit_note_applications.rules import ApplicationStatus, RefundReason, ReversalReason
from invoice_service.rows import Row


class CreditNoteApplication(Listed, Row, table=True):
    """What of a credit note was set against one invoice, or (`invoice_id` null) is to be refunded.

    Amounts are above zero, `vat_shares` (JSON) sum to `applied_pence`, and so do `due_back_pence` and
    `deducted_pence` where the supplier has to give money back.
    """

    __tablename__ = "credit_note_application"
    __table_args__ = (
        CheckConstraint("applied_pence > 0 AND due_back_pence >= 0 AND deducted_pence >= 0", name="amounts"),
        CheckConstraint("due_back_pence + deducted_pence IN (0, applied_pence)", name="due_back"),
        CheckConstraint(
            "(status = 'refunded') = (refunded_on IS NOT NULL AND refund_reason IS NOT NULL)", name="refunded"
        ),
        CheckConstraint(
            "CASE status WHEN 'reversed' THEN num_nulls(reversed_on, reversal_reason, reversed_by, reversed_by_name) "
            "= 0 "
            "ELSE num_nonnulls(reversed_on, reversal_reason, reversed_by, reversed_by_name) = 0 END",
            name="reversed",
        ),
        Index(None, "credit_note_id"),
        Index(None, "invoice_id"),
        Index(None, "applied_at", "id"),
        Index(None, "due_back_pence", "id"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    credit_note_id: UUID = Field(foreign_key="invoice.id")
    invoice_id: UUID | None = Field(default=None, foreign_key="invoice.id")
    supplier_id: UUID
    applied_pence: int = Field(sa_type=BigInteger)
    vat_shares: list[dict[str, Any]] = Field(sa_type=JSONB)
    after_payment: bool
    due_back_pence: int = Field(sa_type=BigInteger)
    deducted_pence: int = Field(sa_type=BigInteger)
    status: ApplicationStatus = Field(sa_type=EnumText(ApplicationStatus))
    note: str = Field(sa_type=Text)
    applied_on: date
    applied_by: str = Field(sa_type=Text)
    applied_by_name: str = Field(sa_type=Text)
    applied_at: datetime = Field(sa_type=UTC_TIME)
    refunded_on: date | None = Field(default=None)
    refund_reason: RefundReason | None = Field(default=None, sa_type=EnumText(RefundReason))
    reversed_on: date | None = Field(default=None)
    reversal_reason: ReversalReason | None = Field(default=None, sa_type=EnumText(ReversalReason))
    reversed_by: str | None = Field(default=None, sa_type=Text)
    reversed_by_name: str | None = Field(default=None, sa_type=Text)
