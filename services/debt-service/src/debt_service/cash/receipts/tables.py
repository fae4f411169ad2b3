"""Receipts and what they were set against."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Text, UniqueConstraint
from sqlmodel import Field

from debt_service.cash.receipts.rules import AllocationBasis, ReceiptMethod, ReceiptStatus, UnallocatedReason
from debt_service.rows import Row


class Receipt(Row, table=True):
    """Money received. What is not allocated is on account; without a customer it is suspense.

    `content_hash` is that of what the source sent; whose money it is may be found out later.
    `on_account_reason` is why something of it was left when it was recorded.
    """

    __table_args__ = (UniqueConstraint("system", "reference"), Index(None, "customer_id"), Index(None, "received_on"))

    id: UUID = Field(primary_key=True)
    version: int
    system: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    received_on: date
    amount_pence: int = Field(sa_type=BigInteger)
    allocated_pence: int = Field(sa_type=BigInteger)
    method: ReceiptMethod = Field(sa_type=Text)
    payer_reference: str | None = Field(default=None, sa_type=Text)
    customer_id: UUID | None = Field(default=None, foreign_key="customer.id")
    status: ReceiptStatus = Field(sa_type=Text)
    reversed_on: date | None = None
    reversal_reason: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    content_hash: str = Field(sa_type=Text)
    on_account_reason: UnallocatedReason | None = Field(default=None, sa_type=Text)


class Allocation(Row, table=True):
    """A part of a receipt set against a receivable, with its basis."""

    __table_args__ = (Index(None, "receipt_id"), Index(None, "receivable_id"))

    id: UUID = Field(primary_key=True)
    receipt_id: UUID = Field(foreign_key="receipt.id")
    receivable_id: UUID = Field(foreign_key="receivable.id")
    amount_pence: int = Field(sa_type=BigInteger)
    basis: AllocationBasis = Field(sa_type=Text)
    allocated_on: date
    allocated_by: str = Field(sa_type=Text)
    reversed_on: date | None = None
