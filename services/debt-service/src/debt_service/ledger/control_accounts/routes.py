"""Control accounts over HTTP."""

from __future__ import annotations

from typing import Annotated

from council_common.errors import in_order
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.csv_export import report_csv
from council_common.web.dependencies import SessionDep, Today, requires
from council_common.web.query_models import AsAtQuery
from council_common.web.resource_routes import CSV_RESPONSE
from fastapi import Query, Response

from debt_service.ledger.control_accounts import store
from debt_service.ledger.control_accounts.schemas import (
    BalanceDifference,
    ReconciliationOut,
    ReconciliationQuery,
    TrialBalanceOut,
)

router = resource_router("control-accounts")

MAX_DIFFERENCES = 100


@router.get("")
async def trial_balance(
    session: SessionDep,
    today: Today,
    query: Annotated[AsAtQuery, Query()],
    _: Annotated[Actor, requires("journal:read")],
) -> TrialBalanceOut:
    """The trial balance, and the receivables control account against what receivables owe, to the penny."""
    day = query.day(today=today)
    return TrialBalanceOut.of(await store.trial_balance(session, as_at=day), as_at=day)


@router.get("/export.csv", response_class=Response, responses=CSV_RESPONSE)
async def export_trial_balance(
    session: SessionDep,
    today: Today,
    query: Annotated[AsAtQuery, Query()],
    _: Annotated[Actor, requires("journal:read")],
) -> Response:
    """The trial balance as CSV: a row an account."""
    day = query.day(today=today)
    balance = await store.trial_balance(session, as_at=day)
    return report_csv(("account", "balance_pence"), balance.balances.items(), filename=f"trial-balance-{day}.csv")


@router.get("/reconciliation")
async def reconcile(
    session: SessionDep,
    today: Today,
    query: Annotated[ReconciliationQuery, Query()],
    _: Annotated[Actor, requires("journal:read")],
) -> ReconciliationOut:
    """The receivables control account against the sub-ledger over a period, differences by id."""
    day = query.day(today=today)
    in_order(start=query.start, as_at=day)
    moved, control = await store.movements(session, start=query.start, end=day)
    return ReconciliationOut.of(
        moved,
        control,
        start=query.start,
        as_at=day,
        differences=await store.differences(session, as_at=day, limit=MAX_DIFFERENCES),
        drifted=await store.drifted(session, limit=MAX_DIFFERENCES),
        receipts_drifted=await store.receipts_drifted(session, limit=MAX_DIFFERENCES),
    )


@router.get("/reconciliation/export.csv", response_class=Response, responses=CSV_RESPONSE)
async def export_differences(
    session: SessionDep,
    today: Today,
    query: Annotated[ReconciliationQuery, Query()],
    _: Annotated[Actor, requires("journal:read")],
) -> Response:
    """The differences of a reconciliation as CSV: a row a receivable, every one of them."""
    day = query.day(today=today)
    in_order(start=query.start, as_at=day)
    differences = await store.differences(session, as_at=day, limit=None)
    columns = tuple(BalanceDifference.model_fields)
    rows = [[row[column] for column in columns] for row in differences]
    return report_csv(columns, rows, filename=f"differences-{day}.csv")
