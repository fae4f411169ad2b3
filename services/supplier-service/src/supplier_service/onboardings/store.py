"""What is read and written of onboardings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from council_common.web.keyset import Order, fetch_page
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from supplier_service.onboardings.lists import ActivityQuery
from supplier_service.onboardings.tables import Onboarding, OnboardingActivity

_ACTIVITY: Any = OnboardingActivity.__table__  # type: ignore[attr-defined]
_BY_DAY = Order("on", _ACTIVITY.c.on, _ACTIVITY.c.id)


async def onboarding_of(session: AsyncSession, supplier_id: UUID) -> Onboarding | None:
    """The onboarding of a supplier, if it has one."""
    found = await session.execute(select(Onboarding).where(col(Onboarding.supplier_id) == supplier_id))
    return found.scalar_one_or_none()


async def activities_of(
    session: AsyncSession, onboarding_id: UUID, query: ActivityQuery
) -> tuple[Sequence[Any], str | None]:
    """A page of an onboarding's activities, by day."""
    statement = select(*_ACTIVITY.c).where(_ACTIVITY.c.onboarding_id == onboarding_id)
    return await fetch_page(session, statement, _BY_DAY, limit=query.limit, cursor=query.cursor)
