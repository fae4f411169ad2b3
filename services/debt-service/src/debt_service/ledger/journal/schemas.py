"""The journal on the wire."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from debt_service.ledger.journal.rules import Account, Fact
from debt_service.ledger.journal.tables import JournalEntry, JournalLine


class JournalLineOut(BaseModel):
    """One side of an entry: a debit is positive, a credit negative."""

    account: Account
    amount_pence: int
    department: str | None
    customer_id: UUID | None
    receivable_id: UUID | None
    receipt_id: UUID | None


class JournalEntryOut(BaseModel):
    """One fact on the books; its lines sum to zero."""

    id: UUID
    fact: Fact
    fact_id: UUID
    posted_on: date
    recorded_at: datetime
    recorded_by: str
    lines: list[JournalLineOut]

    @staticmethod
    def of(entry: JournalEntry, lines: list[JournalLine]) -> JournalEntryOut:
        return JournalEntryOut(
            **entry.values(),
            lines=[JournalLineOut(**line.values("entry_id", "line_no")) for line in lines],
        )
