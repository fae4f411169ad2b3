"""Holds."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from council_common.holds import ReleaseReason
from sqlalchemy import CheckConstraint, ColumnElement, Index, Text, or_, text
from sqlmodel import Field, col

from debt_service.arrangements.holds.rules import OF_THE_PERSON, HoldReason
from debt_service.rows import Row


class Hold(Listed, Row, table=True):
    """No notice until it ends. Without a receivable, or for what is true of the person, it holds everything of the
    customer, also what is raised later. Without a last day it ends when it is released."""

    __table_args__ = (
        CheckConstraint("review_on >= placed_on AND coalesce(ends_on >= review_on, true)", name="dates"),
        CheckConstraint(
            "CASE WHEN ends_on IS NULL THEN reason IN ('breathing_space', 'deceased') ELSE reason <> 'deceased' END",
            name="last_day",
        ),
        CheckConstraint(
            "num_nulls(released_at, released_by, released_by_name, release_reason, release_note) IN (0, 5)",
            name="released",
        ),
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
    ends_on: date | None = None
    placed_by: str = Field(sa_type=Text)
    placed_by_name: str = Field(sa_type=Text)
    placed_at: datetime = Field(sa_type=UTC_TIME)
    released_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    released_by: str | None = Field(default=None, sa_type=Text)
    released_by_name: str | None = Field(default=None, sa_type=Text)
    release_reason: ReleaseReason | None = Field(default=None, sa_type=EnumText(ReleaseReason))
    release_note: str | None = Field(default=None, sa_type=Text)


HOLDS_ALL: ColumnElement[bool] = or_(col(Hold.receivable_id).is_(None), col(Hold.reason).in_(sorted(OF_THE_PERSON)))
"""`rules.holds_all` in SQL."""
