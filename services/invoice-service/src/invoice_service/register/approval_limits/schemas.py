"""Approval limits on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.fields import Code, Day, PositivePence, RequestModel, Sentence
from pydantic import BaseModel


class ApprovalLimitIn(RequestModel):
    """How much a role may approve, in one department or, without one, in every; `effective_to` is the last day."""

    role: Code
    department: Code | None = None
    up_to_pence: PositivePence
    effective_from: Day
    effective_to: Day | None = None


class EndingIn(RequestModel):
    """The last day of a limit, and why in a person's words."""

    effective_to: Day
    note: Sentence


class ApprovalLimitOut(BaseModel):
    """An approval limit. `ended_at` is when an ending was decided, `effective_to` the last day in force."""

    id: UUID
    version: int
    role: str
    department: str | None
    up_to_pence: int
    effective_from: date
    effective_to: date | None
    decided_by: str
    decided_by_name: str
    decided_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, limit: Any) -> ApprovalLimitOut:
        """From a stored limit, or a row of the list."""
        return cls.model_validate(limit, from_attributes=True)
