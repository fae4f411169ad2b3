"""A council's month, the same every time: nothing here reads a clock or draws without the seed."""

from __future__ import annotations

from functools import lru_cache
from random import Random

from demo.sample_council import buying, debts, people
from demo.sample_council.facts import SampleCouncil

SEED = 2026_03


@lru_cache(maxsize=1)
def sample_council() -> SampleCouncil:
    """March 2026 of a council of middling size; each part has a seed of its own, so that one may grow alone."""
    suppliers = buying.suppliers(_chance("suppliers"))
    customers = debts.customers(_chance("customers"))
    receivables = debts.receivables(_chance("receivables"), customers)
    return SampleCouncil(
        sectors=people.SECTORS,
        suppliers=suppliers,
        invoices=buying.invoices(_chance("invoices"), suppliers),
        customers=customers,
        receivables=receivables,
        receipts=debts.receipts(_chance("receipts"), receivables),
        debts=debts.STORIES,
    )


def _chance(part: str) -> Random:
    # Invented figures, not secrets: they have to be the same on every machine.
    return Random(f"{SEED} {part}")  # noqa: S311
