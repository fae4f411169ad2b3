"""Control accounts on the wire."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from debt_service.ledger.journal.rules import Account


class AccountBalance(BaseModel):
    """An account's balance: a debit is positive, a credit negative."""

    account: Account
    balance_pence: int


class TrialBalanceOut(BaseModel):
    """All accounts at the end of a day; they sum to zero, and the control account is what receivables owe."""

    as_at: date
    accounts: list[AccountBalance]
    sum_pence: int
    receivables_control_pence: int
    receivables_outstanding_pence: int
    difference_pence: int


class BalanceDifference(BaseModel):
    """A receivable whose records and journal differ."""

    receivable_id: UUID | None
    subledger_pence: int | None
    journal_pence: int | None


class ReconciliationOut(BaseModel):
    """opening + invoices − credits − receipts allocated + receipts reversed = closing = control account."""

    start: date
    as_at: date
    opening_pence: int
    invoices_pence: int
    credits_pence: int
    receipts_allocated_pence: int
    receipts_reversed_pence: int
    closing_pence: int
    control_account_pence: int
    difference_pence: int
    differences: Annotated[list[BalanceDifference], Field(description="By id, at most 100.")]
    drifted: Annotated[
        list[BalanceDifference], Field(description="Stored outstanding against the whole journal, at most 100.")
    ]
