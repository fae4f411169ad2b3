"""What is done with market sectors."""

from __future__ import annotations

from datetime import datetime

from council_common.identity.actor import Actor
from council_common.recording import Change, record_many
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.market_sectors import store
from supplier_service.market_sectors.rules import MarketSectorTaken
from supplier_service.market_sectors.tables import MarketSector


async def add_sector(
    session: AsyncSession, code: str, name: str, *, by: Actor, at: datetime
) -> tuple[MarketSector, bool]:
    """Add a sector, once: its code with the same name again finds it. Raises MarketSectorTaken for another name."""
    sector, is_new = await store.insert_sector(session, code, name, at=at)
    if sector.name != name:
        raise MarketSectorTaken("This code names another market sector; choose another code.")
    if is_new:
        added = Change("market_sector", sector.id, sector.version, "added")
        await record_many(session, [added], by=by, at=at)
    return sector, is_new
