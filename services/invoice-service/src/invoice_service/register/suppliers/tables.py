"""The projection of suppliers."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ARRAY, Text, UniqueConstraint, Uuid
from sqlmodel import Field

from invoice_service.rows import Row


class Supplier(Row, table=True):
    """A supplier as its service last published it. `version` is that of the newest event applied.

    `open_changes` holds the ids of undecided bank-account changes. The source is unknown (null) only while a
    supplier was named by an event before its registration reached us.
    """

    __tablename__ = "supplier"
    __table_args__ = (UniqueConstraint("source_system", "source_reference"),)

    supplier_id: UUID = Field(primary_key=True)
    source_system: str | None = Field(default=None, sa_type=Text)
    source_reference: str | None = Field(default=None, sa_type=Text)
    status: str = Field(sa_type=Text)
    payment_terms_days: int
    open_changes: list[UUID] = Field(sa_type=ARRAY(Uuid))
    version: int
