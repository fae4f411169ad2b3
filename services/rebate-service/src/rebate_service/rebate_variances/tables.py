"""Variances between what was deducted and what was earned."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import BigInteger, CheckConstraint, Index, Text, text
from sqlmodel import Field

from rebate_service.rebate_variances.rules import Resolution, VarianceStatus
from rebate_service.rebates.rules import VarianceCause
from rebate_service.rows import Row


class RebateVariance(Listed, Row, table=True):
    """One variance; `difference_pence` is what was deducted less what was earned."""

    __tablename__ = "rebate_variance"
    __table_args__ = (
        Index("uq_rebate_variance_open", "rebate_id", unique=True, postgresql_where=text("status = 'open'")),
        CheckConstraint("(status = 'resolved') = (resolution IS NOT NULL)", name="resolved"),
        Index(None, "found_at", "id"),
        Index(None, "difference_pence", "id"),
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
    cause: VarianceCause = Field(sa_type=EnumText(VarianceCause))
    owner: str = Field(sa_type=Text)
    status: VarianceStatus = Field(sa_type=EnumText(VarianceStatus))
    resolution: Resolution | None = Field(default=None, sa_type=EnumText(Resolution))
    note: str | None = Field(default=None, sa_type=Text)
    found_at: datetime = Field(sa_type=UTC_TIME)
    resolved_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    resolved_by: str | None = Field(default=None, sa_type=Text)
    resolved_by_name: str | None = Field(default=None, sa_type=Text)
