"""What the ledger must come to: accounts that sum to zero, and a sub-ledger that closes on the control account.

Source: council policy (control account reconciliation, to the penny).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from debt_service.ledger.journal.rules import Account


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """The balance of every account at the end of a day, and what receivables owed by then, in pence."""

    balances: Mapping[Account, int]
    outstanding_pence: int

    @property
    def sum_pence(self) -> int:
        """Zero, as every entry balances."""
        return sum(self.balances.values())

    @property
    def control_pence(self) -> int:
        return self.balances[Account.RECEIVABLES_CONTROL]

    @property
    def difference_pence(self) -> int:
        """Zero where the control account is what receivables owe."""
        return self.control_pence - self.outstanding_pence


@dataclass(frozen=True, slots=True)
class Movements:
    """The sub-ledger over a period, from receivables, receipts and credit notes (not from the journal)."""

    opening_pence: int
    invoices_pence: int
    credits_pence: int
    receipts_allocated_pence: int
    receipts_reversed_pence: int

    @property
    def closing_pence(self) -> int:
        """opening + invoices − credits − receipts allocated + receipts reversed = closing.

        >>> Movements(100, 50, 10, 60, 5).closing_pence
        85
        """
        return (
            self.opening_pence
            + self.invoices_pence
            - self.credits_pence
            - self.receipts_allocated_pence
            + self.receipts_reversed_pence
        )
