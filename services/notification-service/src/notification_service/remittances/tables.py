"""Payments that get a remittance advice, and rebates that came before or after them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText
from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from notification_service.remittances.rules import RemittanceStatus
from notification_service.rows import Row


class Remittance(Row, table=True):
    """One payment of one invoice, and whether its supplier has been written to."""

    __tablename__ = "remittance"
    __table_args__ = (Index("ix_remittance_waiting", "received_at", postgresql_where=text("status = 'waiting'")),)

    payment_id: UUID = Field(primary_key=True)
    invoice_id: UUID
    supplier_id: UUID
    reference: str = Field(sa_type=Text)
    facts: dict[str, Any] = Field(sa_type=JSONB)
    waits_for_rebate: bool
    status: RemittanceStatus = Field(sa_type=EnumText(RemittanceStatus))
    received_at: datetime = Field(sa_type=UTC_TIME)


class PaymentRebate(Row, table=True):
    """The rebate of a payment, kept until the advice is written."""

    __tablename__ = "payment_rebate"
    __table_args__ = (Index(None, "received_at"),)

    payment_id: UUID = Field(primary_key=True)
    facts: dict[str, Any] = Field(sa_type=JSONB)
    received_at: datetime = Field(sa_type=UTC_TIME)
