"""The table of payments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from invoice_service.paying.payments.rules import PaymentMethod, PaymentStatus, Settlement, settlement
from invoice_service.rows import Row


class Payment(Listed, Row, table=True):
    """Money that went to a supplier for one invoice. `vat_shares` is what it settles per VAT rate, as JSON.

    `overpaid_pence` is the money beyond what was owed; `exceptions` are the kinds of the rules it broke.
    """

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("source_reference", "source_system"),
        CheckConstraint("paid_pence >= 0 AND deducted_pence >= 0 AND paid_pence + deducted_pence > 0", name="amounts"),
        CheckConstraint("overpaid_pence BETWEEN 0 AND paid_pence", name="overpaid"),
        CheckConstraint("(status = 'returned') = (returned_on IS NOT NULL)", name="returned"),
        Index(None, "invoice_id"),
        Index(None, "supplier_id", "remitted_on"),
        Index(None, "remitted_on", "id"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    invoice_id: UUID = Field(foreign_key="invoice.id")
    supplier_id: UUID
    source_system: str = Field(sa_type=Text)
    source_reference: str = Field(sa_type=Text)
    remitted_on: date
    arrives_on: date | None = Field(default=None)
    paid_pence: int = Field(sa_type=BigInteger)
    deducted_pence: int = Field(sa_type=BigInteger)
    method: PaymentMethod = Field(sa_type=EnumText(PaymentMethod))
    reference: str = Field(sa_type=Text)
    overpaid_pence: int = Field(sa_type=BigInteger)
    vat_shares: list[dict[str, Any]] = Field(sa_type=JSONB)
    exceptions: list[str] = Field(sa_type=ARRAY(Text))
    status: PaymentStatus = Field(sa_type=EnumText(PaymentStatus))
    return_reason: str | None = Field(default=None, sa_type=Text)
    returned_on: date | None = Field(default=None)
    recorded_by: str = Field(sa_type=Text)
    recorded_by_name: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=UTC_TIME)

    @property
    def settled(self) -> Settlement:
        """What it settles of its invoice, by its shares."""
        settles = sum(share["net_pence"] + share["vat_pence"] for share in self.vat_shares)
        return settlement(self.paid_pence, self.deducted_pence, outstanding_pence=settles)
