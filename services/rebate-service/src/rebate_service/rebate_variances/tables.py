"""Variances between what was deducted and what was earned."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, text
from sqlmodel import Field

from rebate_service.rebate_variances.rules import VarianceStatus
from rebate_service.rebates.rules import VarianceCause
from rebate_service.rows import Row


class RebateVariance(Row, table=True):
    """One variance; `difference_pence` is what was deducted less what was earned."""

    __tablename__ = "rebate_variance"
    __table_args__ = (
        Index("uq_rebate_variance_open", "rebate_id", unique=True, postgresql_where=text("status = 'open'")),
        CheckConstraint("status IN ('open', 'resolved')", name="status"),
        CheckConstraint("(status = 'resolved') = (resolution IS NOT NULL)", name="resolved"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    rebate_id: UUID = Field(foreign_key="rebate.id", index=True)
    invoice_id: UUID
    payment_id: UUID
    supplier_id: UUID = Field(index=True)
    invoice_number: str = Field(sa_type=Text)
    earned_pence: int = Field(sa_type=BigInteger)
    deducted_pence: int = Field(sa_type=BigInteger)
    difference_pence: int = Field(sa_type=BigInteger)
    cause: VarianceCause = Field(sa_type=Text)
    owner: str = Field(sa_type=Text)
    status: VarianceStatus = Field(sa_type=Text)
    resolution: str | None = Field(default=None, sa_type=Text)
    note: str | None = Field(default=None, sa_type=Text)
    found_at: datetime = Field(sa_type=DateTime(timezone=True))
    resolved_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    resolved_by: str | None = Field(default=None, sa_type=Text)
