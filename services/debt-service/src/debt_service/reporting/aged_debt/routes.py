"""Aged debt over HTTP."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Annotated
from uuid import UUID

from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import SessionDep, Today, requires
from fastapi import Query
from pydantic import BaseModel, Field

from debt_service.fields import Day
from debt_service.reporting.aged_debt import store
from debt_service.reporting.aged_debt.rules import BUCKETS
from debt_service.reporting.aged_debt.store import By

router = resource_router("reports")


class AgedRow(BaseModel):
    """What one department, type of debt or customer owed, by age from the due date."""

    key: str
    not_due: int = 0
    days_1_30: int = 0
    days_31_60: int = 0
    days_61_90: int = 0
    days_91_180: int = 0
    days_181_365: int = 0
    days_over_365: int = 0
    total_pence: int = 0
    debts: int = 0
    unallocated_pence: Annotated[
        int | None, Field(description="Cash on account: by customer and in the total; null where it has no key.")
    ] = None


class AgedDebtOut(BaseModel):
    """Aged debt at the end of a day, in pence; the biggest first."""

    as_at: date
    by: By
    rows: list[AgedRow]
    more: Annotated[int, Field(description="Rows beyond the limit; the total counts them.")]
    total: AgedRow


@router.get("/aged-debt")
async def aged_debt(
    session: SessionDep,
    today: Today,
    _: Annotated[Actor, requires("debts:read")],
    as_at: Day | None = None,
    by: By = By.DEPARTMENT,
    limit: Annotated[int, Query(ge=1, le=5000)] = 200,
) -> AgedDebtOut:
    """Who owes how much since when, as at any day; cash that is not allocated in a column of its own."""
    day = as_at or today
    rows: dict[str, AgedRow] = {}
    total = AgedRow(key="total")
    for found in await store.aged(session, as_at=day, by=by):
        row = rows.setdefault(found["key"], AgedRow(key=found["key"]))
        name = BUCKETS[found["bucket"]]
        for each in (row, total):
            setattr(each, name, getattr(each, name) + found["pence"])
            each.total_pence += found["pence"]
            each.debts += found["debts"]
    cash = await store.unallocated(session, as_at=day)
    total.unallocated_pence = sum(cash.values())
    if by == By.CUSTOMER:
        _put_cash(rows, cash)
    biggest = sorted(rows.values(), key=lambda row: (-row.total_pence, row.key))
    return AgedDebtOut(as_at=day, by=by, rows=biggest[:limit], more=max(0, len(biggest) - limit), total=total)


def _put_cash(rows: dict[str, AgedRow], cash: dict[UUID | None, int]) -> None:
    on_account: dict[str, int] = defaultdict(int)
    for customer_id, pence in cash.items():
        on_account["unidentified" if customer_id is None else str(customer_id)] += pence
    for key, pence in on_account.items():
        rows.setdefault(key, AgedRow(key=key)).unallocated_pence = pence
