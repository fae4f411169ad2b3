"""The statements on market sectors."""

from __future__ import annotations

from datetime import datetime

from council_common.ids import new_id
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from supplier_service.market_sectors.tables import MarketSector


async def insert_sector(session: AsyncSession, code: str, name: str, *, at: datetime) -> tuple[MarketSector, bool]:
    """The sector of a code, and whether it was inserted: where it is there already it stays as it is."""
    inserted = await session.execute(
        insert(MarketSector)
        .values(id=new_id(), version=1, code=code, name=name, created_at=at)
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(col(MarketSector.id))
    )
    is_new = inserted.scalar() is not None
    found = await session.execute(select(MarketSector).where(col(MarketSector.code) == code))
    return found.scalar_one(), is_new


async def sector_codes(session: AsyncSession) -> frozenset[str]:
    """The codes of all sectors: a few dozen."""
    return frozenset((await session.execute(select(col(MarketSector.code)))).scalars())
