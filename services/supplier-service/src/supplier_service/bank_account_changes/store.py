"""What is read and written of bank-account changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from uuid import UUID

from council_common.web.pages import PageQuery, fetch_page
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from supplier_service.bank_account_changes.rules import OPEN, BankAccountChangeStatus, NoSuchBankAccountChange
from supplier_service.bank_account_changes.tables import BankAccountChange, CallBack, Evidence, WarningContact

Part = TypeVar("Part", Evidence, CallBack)


async def get_change(session: AsyncSession, change_id: UUID) -> BankAccountChange:
    """A case; raises NoSuchBankAccountChange."""
    return _found(await session.get(BankAccountChange, change_id))


async def lock_change(session: AsyncSession, change_id: UUID) -> BankAccountChange:
    """A case, locked until the transaction ends. Where the supplier is locked as well, it is locked first."""
    return _found(await session.get(BankAccountChange, change_id, with_for_update=True, populate_existing=True))


def _found(change: BankAccountChange | None) -> BankAccountChange:
    if change is None:
        raise NoSuchBankAccountChange("There is no bank-account change of this id.")
    return change


async def parts_of(session: AsyncSession, part: type[Part], change_ids: Sequence[UUID]) -> dict[UUID, list[Part]]:
    """The evidence or the call-backs of cases, oldest first."""
    found = await session.execute(select(part).where(col(part.change_id).in_(change_ids)).order_by(col(part.id)))
    parts: dict[UUID, list[Part]] = defaultdict(list)
    for one in found.scalars():
        parts[one.change_id].append(one)
    return parts


async def warning_contacts(session: AsyncSession, change_id: UUID) -> Sequence[WarningContact]:
    """Who is warned of a case, in the order they were fixed in."""
    found = await session.execute(
        select(WarningContact).where(col(WarningContact.change_id) == change_id).order_by(col(WarningContact.position))
    )
    return found.scalars().all()


async def count_warning_contacts(session: AsyncSession, change_ids: Sequence[UUID]) -> Counter[UUID]:
    """How many e-mail addresses are warned of each case; 0 for one without any."""
    change_id = col(WarningContact.change_id)
    found = await session.execute(
        select(change_id, func.count().label("contacts")).where(change_id.in_(change_ids)).group_by(change_id)
    )
    return Counter({row.change_id: row.contacts for row in found})


async def cooled_off(session: AsyncSession, *, today: date, after: UUID | None, limit: int) -> list[UUID]:
    """Approved cases whose cooling-off was over yesterday or before, oldest first; those after one where named."""
    statement = (
        select(col(BankAccountChange.id))
        .where(
            col(BankAccountChange.status) == BankAccountChangeStatus.APPROVED,
            col(BankAccountChange.cooling_off_until) < today,
        )
        .order_by(col(BankAccountChange.id))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(col(BankAccountChange.id) > after)
    return list((await session.execute(statement)).scalars())


@dataclass(frozen=True)
class BankAccountChangeFilter:
    """What a list of cases may be narrowed by; None does not narrow."""

    supplier_id: UUID | None = None
    status: BankAccountChangeStatus | None = None
    open: bool | None = None


async def list_changes(
    session: AsyncSession, wanted: BankAccountChangeFilter, page: PageQuery
) -> tuple[Sequence[BankAccountChange], str | None]:
    """A page of the cases a filter lets through."""
    statement = select(BankAccountChange)
    if wanted.supplier_id is not None:
        statement = statement.where(col(BankAccountChange.supplier_id) == wanted.supplier_id)
    if wanted.status is not None:
        statement = statement.where(col(BankAccountChange.status) == wanted.status)
    if wanted.open is not None:
        is_open = col(BankAccountChange.status).in_(sorted(OPEN))
        statement = statement.where(is_open if wanted.open else ~is_open)
    return await fetch_page(
        session,
        statement,
        query=page,
        sortable={"requested_at": BankAccountChange.id},
        default="-requested_at",
        id_column=BankAccountChange.id,
    )
