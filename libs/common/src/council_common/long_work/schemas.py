"""How far long work is, on the wire: the field `progress` of the resource it is done for."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from council_common.long_work.kind import WorkKind
from council_common.long_work.rules import WorkState
from council_common.long_work.tables import Work


class WorkErrorOut(BaseModel):
    """Why work failed, and what would be right where that is known."""

    code: str
    detail: str
    expected: str | None = None


class ProgressOut(BaseModel):
    """How far it is. `done` and `total` count `unit`s; `share` goes from 0 to 1, which only finished work has.

    `per_second` and `seconds_left` go by the pace so far and leave out waiting for a turn. `not_before` is when it is
    tried again after a fault that passes. `can_resume`: it failed, and a person may have it go on where it was.
    """

    state: WorkState
    unit: str
    done: int
    total: int | None
    share: float | None
    per_second: float | None
    seconds_left: int | None
    not_before: datetime | None
    error: WorkErrorOut | None
    can_resume: bool
    requested_by: str
    requested_by_name: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, kind: WorkKind, work: Work) -> ProgressOut:
        """From the work of a resource."""
        values = {name: getattr(work, name) for name in cls.model_fields if name != "unit"}
        return cls.model_validate({"unit": kind.unit, **values})
