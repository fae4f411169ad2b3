"""Aged debt over HTTP."""

from __future__ import annotations

from typing import Annotated

from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.csv_export import report_csv
from council_common.web.dependencies import SessionDep, Today, requires
from council_common.web.resource_routes import CSV_RESPONSE
from fastapi import Query, Response

from debt_service.reporting.aged_debt.schemas import (
    CSV_COLUMNS,
    AgedDebtOut,
    AgedDebtPageQuery,
    AgedDebtQuery,
    AgedRow,
    csv_row,
)
from debt_service.reporting.aged_debt.usecases import age_debt, name_customers

router = resource_router("reports")


@router.get("/aged-debt")
async def aged_debt(
    session: SessionDep,
    today: Today,
    query: Annotated[AgedDebtPageQuery, Query()],
    _: Annotated[Actor, requires("debts:read")],
) -> AgedDebtOut:
    """Debt by age from the due date, as at any day; cash that is not allocated in a column of its own."""
    day = query.day(today=today)
    balances, total = await age_debt(session, as_at=day, by=query.by)
    shown = balances[: query.limit]
    await name_customers(session, shown, by=query.by)
    return AgedDebtOut(
        as_at=day,
        by=query.by,
        rows=[AgedRow.of(balance) for balance in shown],
        more=len(balances) - len(shown),
        total=AgedRow.of(total),
    )


@router.get("/aged-debt/export.csv", response_class=Response, responses=CSV_RESPONSE)
async def export(
    session: SessionDep,
    today: Today,
    query: Annotated[AgedDebtQuery, Query()],
    _: Annotated[Actor, requires("debts:read")],
) -> Response:
    """The whole report as CSV for people: every row, the total last, amounts in pounds."""
    day = query.day(today=today)
    balances, total = await age_debt(session, as_at=day, by=query.by)
    await name_customers(session, balances, by=query.by)
    rows = [csv_row(balance) for balance in (*balances, total)]
    return report_csv(CSV_COLUMNS, rows, filename=f"aged-debt-{query.by}-{day}.csv")
