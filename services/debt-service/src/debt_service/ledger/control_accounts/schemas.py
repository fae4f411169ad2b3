"""Control accounts on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Day
from council_common.web.query_models import AsAtQuery
from pydantic import BaseModel, Field

from debt_service.ledger.control_accounts.rules import Movements, TrialBalance
from debt_service.ledger.journal.rules import Account


class ReconciliationQuery(AsAtQuery):
    """The period of a reconciliation, to its last day."""

    start: Annotated[Day, Field(description="The first day of the period.")]


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

    @classmethod
    def of(cls, balance: TrialBalance, *, as_at: date) -> TrialBalanceOut:
        """From the balances of a day."""
        return cls(
            as_at=as_at,
            accounts=[
                AccountBalance(account=account, balance_pence=pence) for account, pence in balance.balances.items()
            ],
            sum_pence=balance.sum_pence,
            receivables_control_pence=balance.control_pence,
            receivables_outstanding_pence=balance.outstanding_pence,
            difference_pence=balance.difference_pence,
        )


class BalanceDifference(BaseModel):
    """A receivable whose records and journal differ."""

    receivable_id: UUID | None
    number: str | None
    subledger_pence: int | None
    journal_pence: int | None


class ReceiptDifference(BaseModel):
    """A receipt that does not come to: standing allocations + on account = amount."""

    receipt_id: UUID
    amount_pence: int
    allocated_pence: int
    standing_pence: Annotated[int, Field(description="What its allocations that stand sum to.")]
    on_account_pence: Annotated[int, Field(description="What the journal has on account for it.")]


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
    receipts_drifted: Annotated[
        list[ReceiptDifference], Field(description="Receipts that their allocations and the journal contradict.")
    ]

    @classmethod
    def of(
        cls,
        moved: Movements,
        control_pence: int,
        *,
        start: date,
        as_at: date,
        differences: Iterable[Mapping[str, Any]],
        drifted: Iterable[Mapping[str, Any]],
        receipts_drifted: Iterable[Mapping[str, Any]],
    ) -> ReconciliationOut:
        """From the movements of a period, the control account at its end, and where the two differ."""
        return cls(
            start=start,
            as_at=as_at,
            opening_pence=moved.opening_pence,
            invoices_pence=moved.invoices_pence,
            credits_pence=moved.credits_pence,
            receipts_allocated_pence=moved.receipts_allocated_pence,
            receipts_reversed_pence=moved.receipts_reversed_pence,
            closing_pence=moved.closing_pence,
            control_account_pence=control_pence,
            difference_pence=control_pence - moved.closing_pence,
            differences=[BalanceDifference.model_validate(row) for row in differences],
            drifted=[BalanceDifference.model_validate(row) for row in drifted],
            receipts_drifted=[ReceiptDifference.model_validate(row) for row in receipts_drifted],
        )
