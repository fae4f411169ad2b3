"""Setting approval limits and ending them; a limit is never edited."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from council_common.contracts.invoices import ApprovalLimitEndedV1, ApprovalLimitSetV1
from council_common.database.rows import lock_row
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import fact, record
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.approval_limits import rules
from invoice_service.register.approval_limits.store import lock_overlapping
from invoice_service.register.approval_limits.tables import ApprovalLimit


async def set_limit(
    session: AsyncSession,
    role: str,
    department: str | None,
    *,
    up_to_pence: int,
    effective_from: date,
    effective_to: date | None,
    by: Actor,
    at: datetime,
) -> ApprovalLimit:
    """Set how much a role may approve. Raises OwnRole, ApprovalLimitMalformed, ApprovalLimitOverlaps."""
    rules.check_role(role, by.roles)
    rules.check_last_day(effective_to, effective_from=effective_from)
    limit = ApprovalLimit(
        id=new_id(),
        version=0,
        role=role,
        department=department,
        up_to_pence=up_to_pence,
        effective_from=effective_from,
        effective_to=effective_to,
        decided_by=by.subject,
        decided_by_name=by.name,
        decided_at=at,
    )
    if (other := await lock_overlapping(session, limit)) is not None:
        raise rules.ApprovalLimitOverlaps("This role has another limit on one of these days: end it first.", id=other)
    await record(session, fact(limit, "set", ApprovalLimitSetV1), by=by, at=at)
    return limit


async def end_limit(
    session: AsyncSession, limit_id: UUID, *, effective_to: date, note: str, by: Actor, at: datetime
) -> ApprovalLimit:
    """End a limit, once, on its first day or later and not after the last day it had."""
    limit = await lock_row(session, ApprovalLimit, limit_id)
    rules.check_role(limit.role, by.roles)
    if limit.ended_at is not None:
        raise rules.ApprovalLimitEnded("This limit was ended before.", effective_to=str(limit.effective_to))
    rules.check_last_day(effective_to, effective_from=limit.effective_from, planned=limit.effective_to)
    limit.effective_to, limit.ended_at = effective_to, at
    await record(session, fact(limit, "ended", ApprovalLimitEndedV1, detail={"note": note}), by=by, at=at)
    return limit
