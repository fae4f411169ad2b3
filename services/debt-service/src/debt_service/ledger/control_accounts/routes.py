"""/v1/control-accounts."""

from __future__ import annotations

from typing import Annotated

from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import SessionDep, Today, requires
from fastapi import Query

from debt_service.fields import Day
from debt_service.ledger.control_accounts import store
from debt_service.ledger.control_accounts.rules import check_period
from debt_service.ledger.control_accounts.schemas import (
    AccountBalance,
    BalanceDifference,
    ReconciliationOut,
    TrialBalanceOut,
)
from debt_service.ledger.journal.rules import Account

router = resource_router("control-accounts")

MAX_DIFFERENCES = 100


@router.get("")
async def trial_balance(
    session: SessionDep, today: Today, _: Annotated[Actor, requires("journal:read")], as_at: Day | None = None
) -> TrialBalanceOut:
    """The trial balance, and the receivables control account against what receivables owe, to the penny."""
    day = as_at or today
    balances, outstanding = await store.trial_balance(session, as_at=day)
    control = balances[Account.RECEIVABLES_CONTROL]
    return TrialBalanceOut(
        as_at=day,
        accounts=[AccountBalance(account=account, balance_pence=pence) for account, pence in balances.items()],
        sum_pence=sum(balances.values()),
        receivables_control_pence=control,
        receivables_outstanding_pence=outstanding,
        difference_pence=control - outstanding,
    )


@router.get("/reconciliation")
async def reconcile(
    session: SessionDep,
    today: Today,
    _: Annotated[Actor, requires("journal:read")],
    start: Annotated[Day, Query(description="The first day of the period.")],
    as_at: Annotated[Day | None, Query(description="Its last day: today when absent.")] = None,
) -> ReconciliationOut:
    """The receivables control account against the sub-ledger over a period, differences by id."""
    day = as_at or today
    check_period(start, day)
    moved, control = await store.movements(session, start=start, end=day)
    return ReconciliationOut(
        start=start,
        as_at=day,
        opening_pence=moved.opening_pence,
        invoices_pence=moved.invoices_pence,
        credits_pence=moved.credits_pence,
        receipts_allocated_pence=moved.receipts_allocated_pence,
        receipts_reversed_pence=moved.receipts_reversed_pence,
        closing_pence=moved.closing_pence,
        control_account_pence=control,
        difference_pence=control - moved.closing_pence,
        differences=[
            BalanceDifference(**row) for row in await store.differences(session, as_at=day, limit=MAX_DIFFERENCES)
        ],
        drifted=[BalanceDifference(**row) for row in await store.drifted(session, limit=MAX_DIFFERENCES)],
    )
