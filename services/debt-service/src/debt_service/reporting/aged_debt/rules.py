"""Buckets of age (receivables.md §4)."""

from __future__ import annotations

# Days overdue at which each bucket begins; age counts from the due date.
BUCKET_STARTS = (1, 31, 61, 91, 181, 366)
BUCKETS = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_180", "days_181_365", "days_over_365")


def bucket(days_overdue: int) -> str:
    """The bucket of a debt; `store.aged` restates it in SQL.

    >>> bucket(0), bucket(1), bucket(30), bucket(366)
    ('not_due', 'days_1_30', 'days_1_30', 'days_over_365')
    """
    return BUCKETS[sum(days_overdue >= start for start in BUCKET_STARTS)]
