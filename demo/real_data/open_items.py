"""Two years of receivables of one company, read once; and what a replay of them must come to, computed from the file.

`ibm_invoices.csv`: 2,466 rows of invoice, due and settled date, amount, disputed or not; US dates, pounds as written.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from demo.linear_rebate import AmountAtVatRate, rebate_pence
from demo.sample_council.facts import Terms

OPEN_ITEMS = "ibm"
TERMS = Terms()
IN_FORCE_FROM = date(2012, 1, 1)
LAST_DAY = date(2014, 12, 31)
# A ladder of 1, 8, 15 and 29 days late.
LADDER_DAYS = (1, 8, 15, 29)


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An invoice that one party owed and settled."""

    number: str
    party: str
    issued_on: date
    due_on: date
    settled_on: date
    pence: int
    disputed: bool
    by_email: bool

    @property
    def days_late(self) -> int:
        return (self.settled_on - self.due_on).days


def read_open_items(file: Path) -> list[OpenItem]:
    """Every row, in the order of the days of issue. Raises ValueError for an amount that is no whole pence."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        found = [_item(row) for row in csv.DictReader(opened)]
    return sorted(found, key=lambda item: (item.issued_on, item.number))


def _item(row: dict[str, str]) -> OpenItem:
    pence = Decimal(row["InvoiceAmount"]) * 100
    if pence != int(pence):
        raise ValueError("an amount is no whole number of pence")
    return OpenItem(
        number=row["invoiceNumber"],
        party=row["customerID"],
        issued_on=_day(row["InvoiceDate"]),
        due_on=_day(row["DueDate"]),
        settled_on=_day(row["SettledDate"]),
        pence=int(pence),
        disputed=row["Disputed"] == "Yes",
        by_email=row["PaperlessBill"] == "Electronic",
    )


def _day(written: str) -> date:
    """A US date.

    >>> _day("4/6/2013")
    datetime.date(2013, 4, 6)
    """
    return datetime.strptime(written, "%m/%d/%Y").date()  # noqa: DTZ007 - a day has no time zone


def rebate_by_month(items: Iterable[OpenItem]) -> Counter[str]:
    """What 1.00 % at day 10 earns when each is received on its day of issue and paid when it was settled."""
    months: Counter[str] = Counter()
    for item in items:
        days = (item.settled_on - item.issued_on).days
        amount = AmountAtVatRate(vat_rate=Fraction(0), net_pence=item.pence, vat_pence=0)
        months[f"{item.settled_on:%Y-%m}"] += rebate_pence(TERMS, [amount], days)
    return months


def letters_by_level(items: Iterable[OpenItem]) -> Counter[int]:
    """A letter for every rung that was reached with the money still out; what comes in that day stops it."""
    letters: Counter[int] = Counter()
    for item in items:
        for level, days in enumerate(LADDER_DAYS, start=1):
            letters[level] += item.days_late > days
    return letters


def days_with_letters(items: Sequence[OpenItem]) -> list[date]:
    """The days on which some debt reaches a rung."""
    return sorted(
        {item.due_on + timedelta(days=days) for item in items for days in LADDER_DAYS if item.days_late > days}
    )
