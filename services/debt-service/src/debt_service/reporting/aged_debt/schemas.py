"""Aged debt on the wire."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from council_common.web.query_models import AsAtQuery
from pydantic import BaseModel, Field

from debt_service.reporting.aged_debt.rules import BUCKETS, AgedBalance, Grouping


class AgedDebtQuery(AsAtQuery):
    """The day of the report and what it is grouped by."""

    by: Grouping = Grouping.DEPARTMENT


class AgedDebtPageQuery(AgedDebtQuery):
    """The same, and how many rows are shown."""

    limit: Annotated[int, Field(ge=1, le=5000, description="Rows shown; the total counts the others, too.")] = 200


class AgedRow(BaseModel):
    """What one department, type of debt or customer owed, in pence by age from the due date."""

    key: str
    name: Annotated[str | None, Field(description="The customer's name; null where the key is no customer.")]
    not_due: int
    days_1_30: int
    days_31_60: int
    days_61_90: int
    days_91_180: int
    days_181_365: int
    days_over_365: int
    total_pence: int
    debts: int
    unallocated_pence: Annotated[
        int | None, Field(description="Cash on account: by customer and in the total; null where it has no key.")
    ]

    @staticmethod
    def of(balance: AgedBalance) -> AgedRow:
        return AgedRow(
            key=balance.key,
            name=balance.name,
            **balance.pence,
            total_pence=balance.total_pence,
            debts=balance.debts,
            unallocated_pence=balance.unallocated_pence,
        )


class AgedDebtOut(BaseModel):
    """Aged debt at the end of a day, in pence; the biggest first."""

    as_at: date
    by: Grouping
    rows: list[AgedRow]
    more: Annotated[int, Field(description="Rows beyond the limit; the total counts them.")]
    total: AgedRow


CSV_COLUMNS = ("key", "name", *(f"{bucket}_pence" for bucket in BUCKETS), "total_pence", "debts", "unallocated_pence")


def csv_row(balance: AgedBalance) -> tuple[str | int | None, ...]:
    """A balance in the order of `CSV_COLUMNS`."""
    amounts = (balance.pence[bucket] for bucket in BUCKETS)
    return (balance.key, balance.name, *amounts, balance.total_pence, balance.debts, balance.unallocated_pence)
