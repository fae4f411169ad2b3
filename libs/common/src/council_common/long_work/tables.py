"""The table of long work; its columns are the platform's, in every service."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Double, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from council_common.database.columns import UTC_TIME, EnumText
from council_common.database.tables import PlatformRow
from council_common.identity.actor import Actor
from council_common.long_work.rules import OPEN, WorkState


class Work(PlatformRow, table=True):
    """A piece of long work of one kind, for one resource.

    The lowest `turn` is next, and tells which of two workers was given the work last. `attempts` counts how often it
    was taken up and broke before a slice was committed, `waits` how often a fault that passes put it off. `traceparent`
    is that of the request: what its slices publish carries it.
    """

    __tablename__ = "long_work"
    __table_args__ = (
        Index("ix_long_work_open", "kind", "turn", postgresql_where=text("state IN ('waiting', 'running')")),
    )

    subject_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True, sa_type=Text)
    state: WorkState = Field(default=WorkState.WAITING, sa_type=EnumText(WorkState))
    turn: int = Field(sa_type=BigInteger)
    done: int = Field(default=0, sa_type=BigInteger)
    total: int | None = Field(default=None, sa_type=BigInteger)
    cursor: str | None = Field(default=None, sa_type=Text)
    attempts: int = 0
    waits: int = 0
    not_before: datetime | None = Field(default=None, sa_type=UTC_TIME)
    worked_seconds: float = Field(default=0.0, sa_type=Double)
    error: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    can_resume: bool = False
    requested_by: str = Field(sa_type=Text)
    requested_by_name: str = Field(sa_type=Text)
    requested_at: datetime = Field(sa_type=UTC_TIME)
    traceparent: str | None = Field(default=None, sa_type=Text)
    started_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    finished_at: datetime | None = Field(default=None, sa_type=UTC_TIME)

    @property
    def requester(self) -> Actor:
        """Who asked for it: under this name its slices act."""
        return Actor(self.requested_by, self.requested_by_name)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be done: what was kept for its slices can go."""
        return self.state not in OPEN and not self.can_resume

    @property
    def share(self) -> float | None:
        """How much is done, from 0 to 1; only finished work is at 1. None where the total is not known."""
        if self.state is WorkState.DONE:
            return 1.0
        return None if self.total is None else min(0.99, round(self.done / max(self.total, 1), 3))

    @property
    def per_second(self) -> float | None:
        """Units done in a second of work; None before the first slice."""
        return round(self.done / self.worked_seconds, 1) if self.done and self.worked_seconds else None

    @property
    def seconds_left(self) -> int | None:
        """How many seconds of work are left at that pace; None where it does not go on, or has no pace yet."""
        if self.state not in OPEN or self.total is None or not self.per_second:
            return None
        return max(0, ceil((self.total - self.done) / self.per_second))
