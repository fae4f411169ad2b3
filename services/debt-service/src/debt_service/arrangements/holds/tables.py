"""Holds."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import DateTime, Index, Text, text
from sqlmodel import Field

from debt_service.arrangements.holds.rules import HoldKind
from debt_service.rows import Row


class Hold(Row, table=True):
    """No notice until it ends. Without a receivable it holds everything of the customer, also what is raised later."""

    __table_args__ = (
        Index(None, "receivable_id", postgresql_where=text("released_at IS NULL")),
        Index(None, "customer_id", postgresql_where=text("released_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    version: int
    customer_id: UUID = Field(foreign_key="customer.id")
    receivable_id: UUID | None = Field(default=None, foreign_key="receivable.id")
    kind: HoldKind = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    owner: str = Field(sa_type=Text)
    placed_on: date
    review_on: date
    ends_on: date
    placed_by: str = Field(sa_type=Text)
    placed_at: datetime = Field(sa_type=DateTime(timezone=True))
    released_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    released_by: str | None = Field(default=None, sa_type=Text)
    release_reason: str | None = Field(default=None, sa_type=Text)
