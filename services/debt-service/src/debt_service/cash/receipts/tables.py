"""Receipts and what they were set against."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from debt_service.cash.receipts.rules import AllocationBasis, ReceiptMethod, ReceiptStatus, UnallocatedReason
from debt_service.rows import Row


class Receipt(Listed, Row, table=True):
    """Money received. What is not allocated is on account; without a customer it is suspense.

    `content_hash` is that of what the source sent; whose money it is may be found out later.
    `payer_named` is whether the source named the payer; else who it is was read off the debts it paid.
    `on_account_reason` is why something of it is left.
    """

    __table_args__ = (
        UniqueConstraint("source_reference", "source_system"),
        CheckConstraint("amount_pence > 0", name="amount_pence"),
        CheckConstraint("allocated_pence BETWEEN 0 AND amount_pence", name="allocated"),
        CheckConstraint("(status = 'reversed') = (reversed_on IS NOT NULL)", name="reversed"),
        Index(None, "customer_id"),
        Index(
            "ix_receipt_on_account",
            "customer_id",
            postgresql_where=text("status = 'received' AND allocated_pence < amount_pence"),
        ),
        Index(None, "received_on", "id"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    source_system: str = Field(sa_type=Text)
    source_reference: str = Field(sa_type=Text)
    received_on: date
    amount_pence: int = Field(sa_type=BigInteger)
    allocated_pence: int = Field(sa_type=BigInteger)
    method: ReceiptMethod = Field(sa_type=EnumText(ReceiptMethod))
    payer_reference: str | None = Field(default=None, sa_type=Text)
    customer_id: UUID | None = Field(default=None, foreign_key="customer.id")
    payer_named: bool
    status: ReceiptStatus = Field(sa_type=EnumText(ReceiptStatus))
    reversed_on: date | None = None
    reversal_reason: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=UTC_TIME)
    content_hash: str = Field(sa_type=Text)
    on_account_reason: UnallocatedReason | None = Field(default=None, sa_type=EnumText(UnallocatedReason))


class Allocation(Row, table=True):
    """A part of a receipt set against a receivable, with its basis.

    `moved_from_id` is the allocation to the charge that this receivable replaces.
    """

    __table_args__ = (
        CheckConstraint("amount_pence > 0", name="amount_pence"),
        Index(None, "receipt_id"),
        Index(None, "receivable_id"),
    )

    id: UUID = Field(primary_key=True)
    receipt_id: UUID = Field(foreign_key="receipt.id")
    receivable_id: UUID = Field(foreign_key="receivable.id")
    amount_pence: int = Field(sa_type=BigInteger)
    basis: AllocationBasis = Field(sa_type=EnumText(AllocationBasis))
    allocated_on: date
    allocated_by: str = Field(sa_type=Text)
    allocated_by_name: str = Field(sa_type=Text)
    reversed_on: date | None = None
    reversal_reason: str | None = Field(default=None, sa_type=Text)
    moved_from_id: UUID | None = None
