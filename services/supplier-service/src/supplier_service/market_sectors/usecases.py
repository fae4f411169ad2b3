"""What is done with market sectors."""

from __future__ import annotations

from datetime import datetime

from council_common.database.history import record_change
from council_common.identity.actor import Actor
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.market_sectors import store
from supplier_service.market_sectors.rules import MarketSectorTaken
from supplier_service.market_sectors.tables import MarketSector


async def add_sector(
    session: AsyncSession, code: str, name: str, *, by: Actor, at: datetime
) -> tuple[MarketSector, bool]:
    """Add a sector, once: its code with the same name again finds it. Raises MarketSectorTaken for another name."""
    created = await store.insert_sector(session, code, name, at=at)
    sector = await store.get_sector(session, code)
    if sector.name != name:
        raise MarketSectorTaken("This code names another market sector; choose another code.")
    if created:
        await record_change(
            session, entity="market_sector", entity_id=sector.id, version=1, action="added", by=by, at=at
        )
    return sector, created
