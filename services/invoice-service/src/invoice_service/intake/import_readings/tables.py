"""The table of saved readings: one for each layout of a source system's files."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME, Listed
from sqlalchemy import Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from invoice_service.rows import Row


class ImportReading(Listed, Row, table=True):
    """How files of one layout are read: the mapping that an import or the answers to its doubts settled.

    `header` are the names of the columns in their order, without capitals and punctuation; another layout is another
    reading. `import_id` is the import that settled it last. One that was withdrawn is offered no more.
    """

    __tablename__ = "import_reading"
    __table_args__ = (
        UniqueConstraint("source_system", "profile", "layout"),
        Index(None, "recorded_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    version: int = 0
    source_system: str = Field(sa_type=Text)
    profile: str = Field(sa_type=Text)
    layout: str = Field(sa_type=Text)
    header: list[str] = Field(sa_type=JSONB)
    mapping: dict[str, Any] = Field(sa_type=JSONB)
    import_id: UUID
    recorded_by: str = Field(sa_type=Text)
    recorded_by_name: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=UTC_TIME)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
