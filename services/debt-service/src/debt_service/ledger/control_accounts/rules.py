"""What a reconciliation must come to (receivables.md §5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from council_common.errors import FieldError, Malformed


class PeriodEndsBeforeItBegins(Malformed):
    code = "period-ends-before-it-begins"


def check_period(start: date, as_at: date) -> None:
    """Raise PeriodEndsBeforeItBegins: its opening balance would lie behind its closing one."""
    if as_at < start:
        errors = [FieldError("as_at", "lies before start", f"not before {start}")]
        raise PeriodEndsBeforeItBegins("The period ends before it begins.", errors=errors)


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
        """opening + invoices − credits − receipts allocated + receipts that came back = closing.

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
