"""A council's month, the same every time but for its days: nothing here reads a clock or draws without the seed."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from random import Random

from demo.sample_council import buying, debts, people
from demo.sample_council.days import Month
from demo.sample_council.facts import SampleCouncil

SEED = 2026_03


@lru_cache(maxsize=1)
def sample_council(last_day: date) -> SampleCouncil:
    """The month that ends on a day, of a council of middling size.

    Each part has a seed of its own, so that one may grow alone.
    """
    month = Month(last_day)
    suppliers = buying.suppliers(_chance("suppliers"))
    customers = debts.customers(_chance("customers"))
    receivables = debts.receivables(_chance("receivables"), month, customers)
    return SampleCouncil(
        month=month,
        sectors=people.SECTORS,
        suppliers=suppliers,
        invoices=buying.invoices(_chance("invoices"), month, suppliers),
        customers=customers,
        receivables=receivables,
        receipts=debts.receipts(_chance("receipts"), month, receivables),
        debts=debts.STORIES,
    )


def _chance(part: str) -> Random:
    # Invented figures, not secrets: they have to be the same on every machine.
    return Random(f"{SEED} {part}")  # noqa: S311
