"""The tables of onboardings and their activities."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from supplier_service.onboardings.rules import ActivityKind, Stage
from supplier_service.rows import Row


class Onboarding(Listed, Row, table=True):
    """A supplier's way on to the early payment programme; `terms` are those agreed last. One a supplier."""

    __tablename__ = "onboarding"
    __table_args__ = (
        UniqueConstraint("supplier_id"),
        Index(None, "stage"),
        Index(None, "owner"),
        Index(None, "opened_at", "id"),
        CheckConstraint("stage <> 'agreed' OR terms IS NOT NULL", name="agreed_to_terms"),
    )

    id: UUID = Field(primary_key=True)
    supplier_id: UUID = Field(foreign_key="supplier.id")
    version: int
    stage: Stage = Field(sa_type=EnumText(Stage))
    stage_on: date
    owner: str | None = Field(default=None, sa_type=Text)
    terms: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    opened_by: str = Field(sa_type=Text)
    opened_by_name: str = Field(sa_type=Text)
    opened_at: datetime = Field(sa_type=UTC_TIME)


class OnboardingActivity(Row, table=True):
    """Something done to win a supplier."""

    __tablename__ = "onboarding_activity"
    __table_args__ = (Index(None, "onboarding_id", "on", "id"),)

    id: UUID = Field(primary_key=True)
    onboarding_id: UUID = Field(foreign_key="onboarding.id")
    kind: ActivityKind = Field(sa_type=EnumText(ActivityKind))
    on: date
    text: str = Field(sa_type=Text)
    added_by: str = Field(sa_type=Text)
    added_by_name: str = Field(sa_type=Text)
    added_at: datetime = Field(sa_type=UTC_TIME)
