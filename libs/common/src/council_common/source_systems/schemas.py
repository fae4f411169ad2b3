"""Bindings of source systems on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from council_common.fields import Name, RequestModel, Sentence, ShortName
from council_common.identity.source_systems import CallerKind


class SourceSystemIn(RequestModel):
    """Who may record under a source system's name: a client of the identity provider, or a role; and why."""

    system: Annotated[ShortName, Field(examples=["erp"])]
    caller_kind: CallerKind
    caller: Annotated[Name, Field(examples=["erp"], description="The client id, or the role.")]
    note: Sentence


class SourceSystemOut(BaseModel):
    """A binding. `first_use`: made by itself when a system was the first to record under a name."""

    id: UUID
    version: int
    system: str
    caller_kind: CallerKind
    caller: str
    first_use: bool
    bound_by: str
    bound_by_name: str
    bound_at: datetime
    ended_by: str | None
    ended_by_name: str | None
    ended_at: datetime | None

    @classmethod
    def of(cls, binding: Any) -> SourceSystemOut:
        """From a stored binding, or a row of the list."""
        return cls.model_validate(binding, from_attributes=True)
