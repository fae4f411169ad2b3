"""The statements on onboardings."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from supplier_service.onboardings.tables import Onboarding


async def onboarding_of(session: AsyncSession, supplier_id: UUID) -> Onboarding | None:
    """The onboarding of a supplier, if it has one."""
    found = await session.execute(select(Onboarding).where(col(Onboarding.supplier_id) == supplier_id))
    return found.scalar_one_or_none()
