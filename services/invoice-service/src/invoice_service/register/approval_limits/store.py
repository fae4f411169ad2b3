"""The statements on approval limits."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from council_common.fields import LATEST
from council_common.ids import lock_key
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.approval_limits.tables import ApprovalLimit

_C: Any = ApprovalLimit.__table__.c  # type: ignore[attr-defined]


async def lock_overlapping(session: AsyncSession, new: ApprovalLimit) -> UUID | None:
    """A limit of the same role and department on a day of a new one; until the transaction ends no other is set."""
    await session.execute(select(func.pg_advisory_xact_lock(lock_key("approval-limits"))))
    begins_in_time = _C.effective_from <= (new.effective_to or LATEST)
    ends_late = or_(_C.effective_to.is_(None), _C.effective_to >= new.effective_from)
    of_both = _C.role == new.role, _C.department.is_not_distinct_from(new.department)
    found: UUID | None = await session.scalar(select(_C.id).where(*of_both, begins_in_time, ends_late).limit(1))
    return found
