"""The table of market sectors."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from council_common.database.columns import UTC_TIME, Listed
from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from supplier_service.rows import Row


class MarketSector(Listed, Row, table=True):
    """A kind of supplier, by the council's own code."""

    __tablename__ = "market_sector"
    __table_args__ = (UniqueConstraint("code"), Index(None, "code", "id"), Index(None, "name", "id"))

    id: UUID = Field(primary_key=True)
    version: int
    code: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UTC_TIME)
