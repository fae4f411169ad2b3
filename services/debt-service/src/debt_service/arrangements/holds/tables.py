"""Holds."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from council_common.holds import ReleaseReason
from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field

from debt_service.arrangements.holds.rules import HoldReason
from debt_service.rows import Row


class Hold(Listed, Row, table=True):
    """No notice until it ends. Without a receivable it holds everything of the customer, also what is raised later."""

    __table_args__ = (
        CheckConstraint("review_on >= placed_on AND ends_on >= review_on", name="dates"),
        CheckConstraint("num_nulls(released_at, released_by, release_reason, release_note) IN (0, 4)", name="released"),
        Index(None, "review_on", "id"),
        Index(None, "receivable_id", postgresql_where=text("released_at IS NULL")),
        Index(None, "customer_id", postgresql_where=text("released_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    version: int
    customer_id: UUID = Field(foreign_key="customer.id")
    receivable_id: UUID | None = Field(default=None, foreign_key="receivable.id")
    reason: HoldReason = Field(sa_type=EnumText(HoldReason))
    note: str = Field(sa_type=Text)
    owner: str = Field(sa_type=Text)
    placed_on: date
    review_on: date
    ends_on: date
    placed_by: str = Field(sa_type=Text)
    placed_at: datetime = Field(sa_type=UTC_TIME)
    released_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    released_by: str | None = Field(default=None, sa_type=Text)
    release_reason: ReleaseReason | None = Field(default=None, sa_type=EnumText(ReleaseReason))
    release_note: str | None = Field(default=None, sa_type=Text)
