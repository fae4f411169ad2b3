"""Buckets of age, and what a reconciliation must come to (receivables.md §4, §5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from council_common.errors import FieldError, Malformed

# Days overdue at which each bucket begins; age counts from the due date.
BUCKET_STARTS = (1, 31, 61, 91, 181, 366)
BUCKETS = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_180", "days_181_365", "days_over_365")


def bucket(days_overdue: int) -> str:
    """The bucket of a debt; `store.aged` restates it in SQL.

    >>> bucket(0), bucket(1), bucket(30), bucket(366)
    ('not_due', 'days_1_30', 'days_1_30', 'days_over_365')
    """
    return BUCKETS[sum(days_overdue >= start for start in BUCKET_STARTS)]


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
