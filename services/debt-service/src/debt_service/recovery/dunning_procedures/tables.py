"""Procedures in versions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from debt_service.ledger.customers.rules import CustomerKind
from debt_service.recovery.dunning_procedures.rules import Ladder, Level, LevelChannel
from debt_service.rows import Row


class DunningProcedure(Listed, Row, table=True):
    """One version: never changed, followed by another with a later day."""

    __tablename__ = "dunning_procedure"
    __table_args__ = (
        UniqueConstraint("debt_type", "customer_kind", "effective_from", postgresql_nulls_not_distinct=True),
        Index(None, "effective_from", "id"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    name: str = Field(sa_type=Text)
    debt_type: str | None = Field(default=None, sa_type=Text)
    customer_kind: CustomerKind | None = Field(default=None, sa_type=EnumText(CustomerKind))
    effective_from: date
    levels: list[dict[str, Any]] = Field(sa_type=JSONB)
    source: str = Field(sa_type=Text)
    created_by: str = Field(sa_type=Text)
    created_by_name: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UTC_TIME)

    def ladder(self) -> Ladder:
        """The version as a plain value."""
        levels = tuple(Level(**{**level, "channel": LevelChannel(level["channel"])}) for level in self.levels)
        return Ladder(self.id, self.debt_type, self.customer_kind, self.effective_from, levels)
