"""Aged debt on the wire."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from debt_service.reporting.aged_debt.rules import AgedBalance, Grouping


class AgedRow(BaseModel):
    """What one department, type of debt or customer owed, in pence by age from the due date."""

    key: str
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
