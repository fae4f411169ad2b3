"""The statements on bank accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from council_common.database.many_rows import copy_rows
from sqlalchemy import ARRAY, Uuid, any_, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from supplier_service.bank_accounts.rules import BankDetails
from supplier_service.bank_accounts.tables import BankAccount


class _FirstAccount(NamedTuple):
    """A row to copy, filled by name: a sort code moved by position would be another's account."""

    supplier_id: UUID
    number: int
    sort_code: str
    account_number: str
    account_name: str | None
    in_use_from: datetime


async def add_first_accounts(session: AsyncSession, details: Mapping[UUID, BankDetails], *, at: datetime) -> None:
    """The accounts that new suppliers were registered with, by COPY."""
    records = [
        _FirstAccount(
            supplier_id=supplier_id,
            number=1,
            sort_code=account.sort_code,
            account_number=account.account_number,
            account_name=account.account_name,
            in_use_from=at,
        )
        for supplier_id, account in details.items()
    ]
    await copy_rows(session, "bank_account", _FirstAccount._fields, records)


async def next_account(
    session: AsyncSession, supplier_id: UUID, details: BankDetails, *, change_id: UUID, at: datetime
) -> BankAccount:
    """The account that is in use from now on, not stored yet; the supplier's row is locked by the caller."""
    accounts = await accounts_of(session, [supplier_id])
    return BankAccount(
        supplier_id=supplier_id,
        number=len(accounts[supplier_id]) + 1,
        change_id=change_id,
        sort_code=details.sort_code,
        account_number=details.account_number,
        account_name=details.account_name,
        in_use_from=at,
    )


async def accounts_of(session: AsyncSession, supplier_ids: Sequence[UUID]) -> dict[UUID, list[BankAccount]]:
    """The accounts of each supplier, the first one first; the last is in use."""
    ids = literal(list(supplier_ids), ARRAY(Uuid))
    found = await session.execute(
        select(BankAccount).where(col(BankAccount.supplier_id) == any_(ids)).order_by(col(BankAccount.number))
    )
    accounts: dict[UUID, list[BankAccount]] = defaultdict(list)
    for account in found.scalars():
        accounts[account.supplier_id].append(account)
    return accounts
