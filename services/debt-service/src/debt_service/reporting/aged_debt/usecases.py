"""Aged debt as at a day, with the cash that is not allocated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.ledger.customers.store import names_of
from debt_service.reporting.aged_debt import store
from debt_service.reporting.aged_debt.rules import UNIDENTIFIED, AgedBalance, Grouping


async def age_debt(session: AsyncSession, *, as_at: date, by: Grouping) -> tuple[list[AgedBalance], AgedBalance]:
    """What was owed at the end of a day by age, the biggest balance first, and the total.

    By customer, cash on account stands beside the debts of its customer; that of no customer has a balance of its own.
    """
    balances: dict[str, AgedBalance] = {}
    total = AgedBalance("total")
    for row in await store.aged(session, as_at=as_at, by=by):
        balance = balances.setdefault(row["key"], AgedBalance(row["key"]))
        balance.add(row["bucket"], pence=row["pence"], debts=row["debts"])
        total.add(row["bucket"], pence=row["pence"], debts=row["debts"])
    on_account: dict[str, int] = defaultdict(int)
    for customer_id, pence in (await store.unallocated(session, as_at=as_at)).items():
        on_account[UNIDENTIFIED if customer_id is None else str(customer_id)] += pence
    total.unallocated_pence = sum(on_account.values())
    if by == Grouping.CUSTOMER:
        for key, pence in on_account.items():
            balances.setdefault(key, AgedBalance(key)).unallocated_pence = pence
    return sorted(balances.values(), key=lambda balance: (-balance.total_pence, balance.key)), total


async def name_customers(session: AsyncSession, balances: Sequence[AgedBalance], *, by: Grouping) -> None:
    """Fill in the names of the customers whose balances these are."""
    if by != Grouping.CUSTOMER:
        return
    names = await names_of(session, [UUID(balance.key) for balance in balances if balance.key != UNIDENTIFIED])
    for balance in balances:
        if balance.key != UNIDENTIFIED:
            balance.name = names[UUID(balance.key)]
