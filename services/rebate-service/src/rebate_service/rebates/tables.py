"""Rebates: one row for each payment of an invoice, and one for what is not paid yet."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from council_common.database.columns import EnumText, Listed
from sqlalchemy import BigInteger, CheckConstraint, Index, Numeric, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rebate_service.rebates.rules import RebateStatus, VarianceCause
from rebate_service.rows import Row

REMITTED_OR_LAST = "coalesce(remitted_on, '9999-12-31'::date)"
"""The day a payment was sent; what is not paid comes after all that is."""

TARGET_OR_LAST = "coalesce(target_on, '9999-12-31'::date)"
"""The target day; what is outside any agreement has none and comes last."""


class Rebate(Listed, Row, table=True):
    """What a payment earned, or (`payment_id` null) what the unpaid part of an invoice is expected to earn.

    Facts first, then what follows from an agreement. The `rebate_` amounts stay after a reversal: they are what was
    taken back.
    """

    __tablename__ = "rebate"
    __table_args__ = (
        # One row for each payment of an invoice, and one for its unpaid part.
        UniqueConstraint("invoice_id", "payment_id", postgresql_nulls_not_distinct=True),
        Index("ix_rebate_supplier_id_received_on", "supplier_id", "received_on"),
        Index("ix_rebate_payment_id", "payment_id"),
        # Payments come in by their days: block ranges are enough, and cost next to nothing to keep.
        Index("ix_rebate_remitted_on", "remitted_on", postgresql_using="brin"),
        Index("ix_rebate_remitted_on_id", text(REMITTED_OR_LAST), "id"),
        Index("ix_rebate_target_on_id", text(TARGET_OR_LAST), "id"),
        Index("ix_rebate_expected_pence_id", "expected_pence", "id"),
        CheckConstraint("rebate_pence = rebate_net_pence + rebate_vat_pence", name="net_and_vat"),
        CheckConstraint("(agreement_id IS NULL) = (agreement_version IS NULL)", name="agreement_and_version"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    invoice_id: UUID
    payment_id: UUID | None = None
    supplier_id: UUID
    invoice_number: str = Field(sa_type=Text)
    received_on: date
    valid_on: date | None = None
    remitted_on: date | None = None
    arrives_on: date | None = None
    method: str | None = Field(default=None, sa_type=Text)
    vat_shares: list[dict[str, Any]] = Field(sa_type=JSONB)
    disputed: bool
    part_payment: bool
    deducted_pence: int = Field(sa_type=BigInteger)
    department: str | None = Field(default=None, sa_type=Text)
    agreement_id: UUID | None = None
    agreement_version: int | None = Field(default=None, sa_type=SmallInteger)
    status: RebateStatus = Field(sa_type=EnumText(RebateStatus))
    cause: str | None = Field(default=None, sa_type=Text)
    clock_started_on: date | None = None
    clock_ended_on: date | None = None
    target_on: date | None = None
    elapsed_days: int | None = None
    accelerated_days: int | None = None
    rate_percent: Decimal | None = Field(default=None, sa_type=Numeric)
    base_pence: int = Field(sa_type=BigInteger)
    rebate_net_pence: int = Field(sa_type=BigInteger)
    rebate_vat_pence: int = Field(sa_type=BigInteger)
    rebate_pence: int = Field(sa_type=BigInteger)
    expected_pence: int = Field(sa_type=BigInteger)
    variance_pence: int = Field(sa_type=BigInteger)
    variance_cause: VarianceCause | None = Field(default=None, sa_type=EnumText(VarianceCause))
    # What each VAT rate earned, as the supplier's debit note shows it.
    rebate_parts: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    returned_on: date | None = None
