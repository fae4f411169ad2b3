"""Market sectors on the wire."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Code, Name, RequestModel
from pydantic import BaseModel, ConfigDict, Field


class MarketSectorIn(RequestModel):
    """A sector to add."""

    code: Annotated[Code, Field(examples=["construction"])]
    name: Annotated[Name, Field(examples=["Construction and highways"])]


class MarketSectorOut(BaseModel):
    """A kind of supplier the council buys from."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    code: str
    name: str

    @classmethod
    def of(cls, sector: Any) -> MarketSectorOut:
        """From a stored sector, or a row of the list."""
        return cls.model_validate(sector)
