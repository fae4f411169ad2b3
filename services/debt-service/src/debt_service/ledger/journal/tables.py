"""Entries and their lines. The database refuses what does not balance and any change of what is there."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger, Text, UniqueConstraint, text
from sqlmodel import Field

from debt_service.ledger.journal.rules import Account, Fact
from debt_service.rows import Row


class JournalEntry(Listed, Row, table=True):
    """One fact on the books; at most one entry a fact."""

    __tablename__ = "journal_entry"
    __table_args__ = (UniqueConstraint("fact", "fact_id"), Index(None, "posted_on", "id"))

    id: UUID = Field(primary_key=True)
    fact: Fact = Field(sa_type=EnumText(Fact))
    fact_id: UUID
    posted_on: date
    recorded_at: datetime = Field(sa_type=UTC_TIME)
    recorded_by: str = Field(sa_type=Text)
    recorded_by_name: str = Field(sa_type=Text)


class JournalLine(Row, table=True):
    """One side of an entry: a debit is positive, a credit negative."""

    __tablename__ = "journal_line"
    __table_args__ = (
        CheckConstraint("amount_pence <> 0", name="amount_pence"),
        Index(None, "receivable_id", postgresql_where=text("receivable_id IS NOT NULL")),
        Index(None, "receipt_id", postgresql_where=text("receipt_id IS NOT NULL")),
    )

    entry_id: UUID = Field(primary_key=True, foreign_key="journal_entry.id")
    line_no: int = Field(primary_key=True, sa_type=SmallInteger)
    account: Account = Field(sa_type=EnumText(Account))
    amount_pence: int = Field(sa_type=BigInteger)
    department: str | None = Field(default=None, sa_type=Text)
    customer_id: UUID | None = None
    receivable_id: UUID | None = None
    receipt_id: UUID | None = None
