"""Which market sector a supplier belongs to, as supplier-service last published it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Text
from sqlmodel import Field

from rebate_service.rows import Row


class SupplierSector(Row, table=True):
    """A supplier's market sector (a code; null where it has none) and the version of the event that said so."""

    __tablename__ = "supplier_sector"

    supplier_id: UUID = Field(primary_key=True)
    market_sector: str | None = Field(default=None, sa_type=Text)
    version: int
