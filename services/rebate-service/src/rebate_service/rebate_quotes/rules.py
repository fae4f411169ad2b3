"""What a payment would earn, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from rebate_service.agreements.rules import Terms
from rebate_service.rebates.linear import AmountAtVatRate, clock_starts_on, rate_for, rebate_parts


class QuotedDay(NamedTuple):
    """What the clock's end on a day would earn."""

    elapsed_days: int
    on: date
    rate_percent: Decimal
    rebate_pence: int


def day_by_day(
    amounts: Sequence[AmountAtVatRate], terms: Terms, *, received_on: date, valid_on: date | None
) -> list[QuotedDay]:
    """Day 0 to the end of the term, for one invoice. Source: the table NHS Wales publishes for £100."""
    start = clock_starts_on(terms, received_on, valid_on, None)
    return [
        QuotedDay(
            elapsed_days=day,
            on=start + timedelta(days=day),
            rate_percent=rate_for(terms, terms.term_days - day).percent,
            rebate_pence=sum(
                part.net_pence + part.vat_pence for part in rebate_parts(amounts, terms, terms.term_days - day)
            ),
        )
        for day in range(terms.term_days + 1)
    ]
