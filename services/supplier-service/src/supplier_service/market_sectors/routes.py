"""`/v1/market-sectors`."""

from __future__ import annotations

from typing import Annotated

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import Now, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery
from fastapi import Depends, Path, Response

from supplier_service.fields import Code
from supplier_service.market_sectors import store
from supplier_service.market_sectors.schemas import MarketSectorIn, MarketSectorOut
from supplier_service.market_sectors.usecases import add_sector

router = resource_router("market-sectors")

SectorCode = Annotated[Code, Path(description="The sector's code.")]


@router.post("", status_code=201, dependencies=[Idempotent], responses={200: {"model": MarketSectorOut}})
async def add(
    sector: MarketSectorIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("suppliers:write")],
) -> MarketSectorOut:
    """Add a market sector; the same code and name again answers 200 with what is there."""
    added, created = await add_sector(session, sector.code, sector.name, by=by, at=now)
    response.status_code = 201 if created else 200
    response.headers["location"] = f"/v1/market-sectors/{added.code}"
    return MarketSectorOut.of(added)


@router.get("")
async def find(
    *,
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("suppliers:read")],
) -> Page[MarketSectorOut]:
    """Market sectors, by code; sorts by code or name."""
    sectors, following = await store.list_sectors(session, page)
    return Page(items=[MarketSectorOut.of(sector) for sector in sectors], next=following)


@router.get("/{code}")
async def get(
    code: SectorCode, session: SessionDep, _: Annotated[Actor, requires("suppliers:read")]
) -> MarketSectorOut:
    """One market sector."""
    return MarketSectorOut.of(await store.get_sector(session, code))


@router.get("/{code}/history")
async def history(
    code: SectorCode, session: SessionDep, _: Annotated[Actor, requires("suppliers:read")]
) -> list[ChangeOut]:
    """Every change of a market sector: who, when and what."""
    return await history_of(session, (await store.get_sector(session, code)).id)
