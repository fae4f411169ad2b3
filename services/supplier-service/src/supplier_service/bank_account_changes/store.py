"""The statements on bank-account changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from supplier_service.bank_account_changes.rules import BankAccountChangeStatus
from supplier_service.bank_account_changes.tables import BankAccountChange, CallBack, Evidence, WarningContact

Part = TypeVar("Part", Evidence, CallBack)


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
