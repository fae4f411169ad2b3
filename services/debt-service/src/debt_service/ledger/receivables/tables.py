"""Receivables and their credit notes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from debt_service.ledger.receivables.rules import CancelReason, ReceivableStatus
from debt_service.rows import Row


class Receivable(Listed, Row, table=True):
    """One charge. `dunning_level` and `last_notice_…` are facts of the last notice; no next check is stored.

    `last_notice_on` is the day it is dated, `last_notice_sent_on` the day it left, once that is reported. A notice that
    never left does not count. One that `replaces_id` another counts in the books from the day of the correction,
    `counts_from`; every other from `issued_on`.
    """

    __table_args__ = (
        UniqueConstraint("source_reference", "source_system"),
        UniqueConstraint("number"),
        CheckConstraint("gross_pence > 0 AND net_pence + vat_pence = gross_pence", name="sums"),
        CheckConstraint("outstanding_pence BETWEEN 0 AND gross_pence", name="outstanding"),
        CheckConstraint("(outstanding_pence > 0) = (status IN ('open', 'overdue'))", name="status_of_balance"),
        CheckConstraint("due_on >= issued_on", name="dates"),
        Index(None, "customer_id"),
        Index(None, "status", "due_on"),
        Index(None, "due_on", "id"),
        Index(None, "outstanding_pence", "id"),
        CheckConstraint("counts_from >= issued_on AND (replaces_id IS NULL) = (counts_from IS NULL)", name="replaces"),
        Index(None, "replaces_id", unique=True, postgresql_where=text("replaces_id IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    version: int
    customer_id: UUID = Field(foreign_key="customer.id")
    source_system: str = Field(sa_type=Text)
    source_reference: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text)
    department: str = Field(sa_type=Text)
    debt_type: str = Field(sa_type=Text)
    issued_on: date
    due_on: date
    lines: list[dict[str, Any]] = Field(sa_type=JSONB)
    net_pence: int = Field(sa_type=BigInteger)
    vat_pence: int = Field(sa_type=BigInteger)
    gross_pence: int = Field(sa_type=BigInteger)
    outstanding_pence: int = Field(sa_type=BigInteger)
    status: ReceivableStatus = Field(sa_type=EnumText(ReceivableStatus))
    overdue_on: date | None = None
    settled_on: date | None = None
    on_hold: bool
    dunning_level: int = Field(sa_type=SmallInteger)
    last_notice_on: date | None = None
    last_notice_sent_on: date | None = None
    created_at: datetime = Field(sa_type=UTC_TIME)
    replaces_id: UUID | None = Field(default=None, foreign_key="receivable.id")
    counts_from: date | None = None


class Cancellation(Row, table=True):
    """A credit note for what was outstanding, or for a part of it."""

    __table_args__ = (CheckConstraint("amount_pence > 0", name="amount_pence"), Index(None, "receivable_id"))

    id: UUID = Field(primary_key=True)
    receivable_id: UUID = Field(foreign_key="receivable.id")
    cancelled_on: date
    amount_pence: int = Field(sa_type=BigInteger)
    vat_pence: int = Field(sa_type=BigInteger)
    reason: CancelReason = Field(sa_type=EnumText(CancelReason))
    cancelled_by: str = Field(sa_type=Text)
    cancelled_at: datetime = Field(sa_type=UTC_TIME)
