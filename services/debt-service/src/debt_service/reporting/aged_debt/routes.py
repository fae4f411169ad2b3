"""/v1/reports/aged-debt."""

from __future__ import annotations

from typing import Annotated

from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import SessionDep, Today, requires
from fastapi import Query

from debt_service.fields import Day
from debt_service.reporting.aged_debt.rules import Grouping
from debt_service.reporting.aged_debt.schemas import AgedDebtOut, AgedRow
from debt_service.reporting.aged_debt.usecases import age_debt

router = resource_router("reports")


@router.get("/aged-debt")
async def aged_debt(
    session: SessionDep,
    today: Today,
    _: Annotated[Actor, requires("debts:read")],
    as_at: Day | None = None,
    by: Grouping = Grouping.DEPARTMENT,
    limit: Annotated[int, Query(ge=1, le=5000)] = 200,
) -> AgedDebtOut:
    """Debt by age from the due date, as at any day; cash that is not allocated in a column of its own."""
    day = as_at or today
    balances, total = await age_debt(session, as_at=day, by=by)
    return AgedDebtOut(
        as_at=day,
        by=by,
        rows=[AgedRow.of(balance) for balance in balances[:limit]],
        more=max(0, len(balances) - limit),
        total=AgedRow.of(total),
    )
