"""The table of exceptions found in payments."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field

from invoice_service.paying.payment_exceptions.rules import ExceptionKind, ExceptionStatus, Resolution
from invoice_service.rows import Row


class PaymentException(Listed, Row, table=True):
    """One rule that one payment broke. `recover_pence` is the money in it that is the council's; `recorded_by` who
    recorded the payment, and so does not resolve this; `customer_id` who is charged with that money at debt-service,
    `receivable_id` the charge, once it is there."""

    __tablename__ = "payment_exception"
    __table_args__ = (
        UniqueConstraint("payment_id", "kind"),
        CheckConstraint("recover_pence >= 0", name="recover"),
        CheckConstraint(
            "(status = 'resolved') = (resolution IS NOT NULL AND resolved_by IS NOT NULL AND resolved_at IS NOT NULL)",
            name="resolved",
        ),
        CheckConstraint(
            "(resolution IS NOT DISTINCT FROM 'receivable_raised') = (customer_id IS NOT NULL)", name="customer"
        ),
        Index(None, "invoice_id"),
        Index(None, "found_at", "id"),
        Index(None, "recover_pence", "id"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    payment_id: UUID = Field(foreign_key="payment.id")
    invoice_id: UUID = Field(foreign_key="invoice.id")
    supplier_id: UUID
    invoice_number: str = Field(sa_type=Text)
    kind: ExceptionKind = Field(sa_type=EnumText(ExceptionKind))
    recover_pence: int = Field(sa_type=BigInteger)
    hold_reasons: list[str] = Field(sa_type=ARRAY(Text))
    remitted_on: date
    recorded_by: str = Field(sa_type=Text)
    found_at: datetime = Field(sa_type=UTC_TIME)
    status: ExceptionStatus = Field(sa_type=EnumText(ExceptionStatus))
    resolution: Resolution | None = Field(default=None, sa_type=EnumText(Resolution))
    note: str | None = Field(default=None, sa_type=Text)
    customer_id: UUID | None = None
    receivable_id: UUID | None = None
    resolved_by: str | None = Field(default=None, sa_type=Text)
    resolved_by_name: str | None = Field(default=None, sa_type=Text)
    resolved_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
