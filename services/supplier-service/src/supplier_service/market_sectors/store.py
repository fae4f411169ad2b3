"""What is read and written of market sectors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from council_common.ids import new_id
from council_common.web.pages import PageQuery, fetch_page
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from supplier_service.market_sectors.rules import NoSuchMarketSector
from supplier_service.market_sectors.tables import MarketSector


async def insert_sector(session: AsyncSession, code: str, name: str, *, at: datetime) -> bool:
    """Insert a sector; False when its code is there already."""
    inserted = await session.execute(
        insert(MarketSector)
        .values(id=new_id(), version=1, code=code, name=name, created_at=at)
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(col(MarketSector.id))
    )
    return inserted.scalar() is not None


async def get_sector(session: AsyncSession, code: str) -> MarketSector:
    """The sector of a code; raises NoSuchMarketSector."""
    sector = (await session.execute(select(MarketSector).where(col(MarketSector.code) == code))).scalar_one_or_none()
    if sector is None:
        raise NoSuchMarketSector("There is no market sector of this code.")
    return sector


async def sector_codes(session: AsyncSession) -> frozenset[str]:
    """The codes of all sectors: a few dozen."""
    return frozenset((await session.execute(select(col(MarketSector.code)))).scalars())


async def list_sectors(session: AsyncSession, page: PageQuery) -> tuple[Sequence[MarketSector], str | None]:
    """A page of sectors."""
    return await fetch_page(
        session,
        select(MarketSector),
        query=page,
        sortable={"code": MarketSector.code, "name": MarketSector.name},
        default="code",
        id_column=MarketSector.id,
    )
