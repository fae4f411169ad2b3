"""When the funds of a payment arrive, by the way it was paid."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from council_common.contracts.invoices import PaymentMethod

from council_bacs.processing_calendar import cycle_with_input_on


@lru_cache(maxsize=1024)
def arrival_day(method: PaymentMethod, remitted_on: date) -> date | None:
    """The day the funds of a payment sent on a day arrive; None where only the bank can say.

    Bacs: the entry day of the cycle, input on the first processing day on or after the one it was sent on (Pay.UK,
    Bacs processing calendar). Faster Payments: the same day, any day of the year (Pay.UK, Faster Payment System). A
    Direct Debit reaches the supplier on the day it is taken. A cheque arrives when it is banked and a card payment when
    it is settled.

    >>> arrival_day("bacs", date(2026, 3, 11)), arrival_day("faster_payment", date(2026, 3, 14))
    (datetime.date(2026, 3, 13), datetime.date(2026, 3, 14))
    """
    match method:
        case "bacs":
            return cycle_with_input_on(remitted_on).entry_day
        case "faster_payment" | "direct_debit":
            return remitted_on
        case "cheque" | "card":
            return None
