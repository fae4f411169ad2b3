"""Market sectors over HTTP."""

from __future__ import annotations

from typing import Annotated

from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.resource_routes import reading_routes

from supplier_service.market_sectors.lists import MarketSectorList
from supplier_service.market_sectors.schemas import MarketSectorIn, MarketSectorOut
from supplier_service.market_sectors.tables import MarketSector
from supplier_service.market_sectors.usecases import add_sector

router = resource_router("market-sectors")


@router.post("", status_code=201, responses={200: {"model": MarketSectorOut}})
async def add(sector: MarketSectorIn, act: Annotated[Act, acting("suppliers:write")]) -> MarketSectorOut:
    """Add a market sector; the same code and name again answers 200 with what is there."""
    added, is_new = await add_sector(act.session, sector.code, sector.name, by=act.by, at=act.at)
    act.answers(f"{router.prefix}/{added.id}", added.version, new=is_new)
    return MarketSectorOut.of(added)


reading_routes(router, MarketSectorList, MarketSectorOut, of=MarketSector, scope="suppliers:read")
