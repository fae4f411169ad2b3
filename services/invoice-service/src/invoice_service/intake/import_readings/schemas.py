"""Saved readings on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel


class ImportReadingOut(BaseModel):
    """How files of one layout of a source system are read: `mapping` is that of an import.

    `header` are the columns' names in their order, without capitals and punctuation. `import_id` is the import that
    settled it, `recorded_by` who sent that.
    """

    id: UUID
    version: int
    source_system: str
    profile: str
    header: list[str]
    mapping: dict[str, Any]
    import_id: UUID
    recorded_by: str
    recorded_by_name: str
    recorded_at: datetime
    withdrawn_at: datetime | None

    @classmethod
    def of(cls, reading: Any) -> ImportReadingOut:
        """From a stored reading, or a row of the list."""
        return cls.model_validate(reading, from_attributes=True)
