"""Market sectors on the wire."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from supplier_service.fields import Code, LongText, RequestModel
from supplier_service.market_sectors.tables import MarketSector


class MarketSectorIn(RequestModel):
    """A sector to add."""

    code: Annotated[Code, Field(examples=["construction"])]
    name: Annotated[LongText, Field(examples=["Construction and highways"])]


class MarketSectorOut(BaseModel):
    """A kind of supplier the council buys from."""

    id: UUID
    version: int
    code: str
    name: str

    @classmethod
    def of(cls, sector: MarketSector) -> MarketSectorOut:
        return cls(id=sector.id, version=sector.version, code=sector.code, name=sector.name)
