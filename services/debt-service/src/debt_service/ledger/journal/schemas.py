"""The journal on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from debt_service.ledger.journal.rules import Account, Fact


class JournalLineOut(BaseModel):
    """One side of an entry: a debit is positive, a credit negative."""

    model_config = ConfigDict(from_attributes=True)

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
    recorded_by_name: str
    lines: list[JournalLineOut]

    @classmethod
    def of(cls, entry: Any, lines: Sequence[Any]) -> JournalEntryOut:
        """From a stored entry, or a row of the list, with its lines."""
        values = {name: getattr(entry, name) for name in cls.model_fields if name != "lines"}
        return cls(**values, lines=[JournalLineOut.model_validate(line) for line in lines])
