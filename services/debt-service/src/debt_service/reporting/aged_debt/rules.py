"""Buckets of age, and balances by bucket.

Source: council policy. Councils cut age differently (over 30, 45, 90 or 120 days); these are the edges of the common
ones, counted from the due date.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

# Days overdue at which each bucket begins; age counts from the due date.
BUCKET_STARTS = (1, 31, 61, 91, 181, 366)
BUCKETS = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_180", "days_181_365", "days_over_365")

# The key of cash on account of no customer.
UNIDENTIFIED = "unidentified"


class Grouping(StrEnum):
    """What aged debt is grouped by."""

    DEPARTMENT = "department"
    DEBT_TYPE = "debt_type"
    CUSTOMER = "customer"


@dataclass(slots=True)
class AgedBalance:
    """What one department, type of debt or customer owed, in pence by bucket; and the cash it has on account.

    `name` is the customer's.
    """

    key: str
    name: str | None = None
    pence: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BUCKETS, 0))
    debts: int = 0
    unallocated_pence: int | None = None

    @property
    def total_pence(self) -> int:
        return sum(self.pence.values())

    def add(self, bucket: int, *, pence: int, debts: int) -> None:
        """Add what some debts of one bucket owe."""
        self.pence[BUCKETS[bucket]] += pence
        self.debts += debts


def bucket(days_overdue: int) -> str:
    """The bucket of a debt; `store.aged` restates it in SQL.

    >>> bucket(0), bucket(1), bucket(30), bucket(366)
    ('not_due', 'days_1_30', 'days_1_30', 'days_over_365')
    """
    return BUCKETS[sum(days_overdue >= start for start in BUCKET_STARTS)]
