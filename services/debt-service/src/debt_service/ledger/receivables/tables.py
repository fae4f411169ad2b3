"""Receivables and their credit notes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from debt_service.ledger.receivables.rules import CancelReason, ReceivableStatus
from debt_service.rows import Row


class Receivable(Row, table=True):
    """One charge. `dunning_level` and `last_notice_…` are facts of the last notice; no next check is stored.

    `last_notice_on` is the day it is dated, `last_notice_sent_on` the day it left, once that is reported. A notice that
    never left does not count.
    """

    __table_args__ = (
        UniqueConstraint("system", "reference"),
        UniqueConstraint("number"),
        Index(None, "customer_id"),
        Index(None, "status", "due_on"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    customer_id: UUID = Field(foreign_key="customer.id")
    system: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
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
    status: ReceivableStatus = Field(sa_type=Text)
    overdue_on: date | None = None
    settled_on: date | None = None
    on_hold: bool
    dunning_level: int = Field(sa_type=SmallInteger)
    last_notice_on: date | None = None
    last_notice_sent_on: date | None = None
    created_at: datetime = Field(sa_type=DateTime(timezone=True))


class Cancellation(Row, table=True):
    """A credit note for what was outstanding."""

    __table_args__ = (Index(None, "receivable_id"),)

    id: UUID = Field(primary_key=True)
    receivable_id: UUID = Field(foreign_key="receivable.id")
    cancelled_on: date
    amount_pence: int = Field(sa_type=BigInteger)
    vat_pence: int = Field(sa_type=BigInteger)
    reason: CancelReason = Field(sa_type=Text)
    cancelled_by: str = Field(sa_type=Text)
    cancelled_at: datetime = Field(sa_type=DateTime(timezone=True))
