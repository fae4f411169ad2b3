"""Approval limits over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.resource_routes import reading_routes

from invoice_service.register.approval_limits import usecases
from invoice_service.register.approval_limits.lists import ApprovalLimitList
from invoice_service.register.approval_limits.schemas import ApprovalLimitIn, ApprovalLimitOut, EndingIn
from invoice_service.register.approval_limits.tables import ApprovalLimit

router = resource_router("approval-limits")

Writing = Annotated[Act, acting("approval-limits:write")]


@router.post("", status_code=201)
async def set_(limit: ApprovalLimitIn, act: Writing) -> ApprovalLimitOut:
    """Set how much a role may approve; 409 when it has a limit for the same department on one of the days."""
    made = await usecases.set_limit(
        act.session,
        limit.role,
        limit.department,
        up_to_pence=limit.up_to_pence,
        effective_from=limit.effective_from,
        effective_to=limit.effective_to,
        by=act.by,
        at=act.at,
    )
    act.answers(f"{router.prefix}/{made.id}", made.version)
    return ApprovalLimitOut.of(made)


reading_routes(router, ApprovalLimitList, ApprovalLimitOut, of=ApprovalLimit, scope="invoices:read")


@router.post("/{approval_limit_id}/endings", status_code=201)
async def end(approval_limit_id: UUID, ending: EndingIn, act: Writing) -> ApprovalLimitOut:
    """End a limit, once: never before its first day nor after the last day it had."""
    limit = await usecases.end_limit(
        act.session, approval_limit_id, effective_to=ending.effective_to, note=ending.note, by=act.by, at=act.at
    )
    act.answers(f"{router.prefix}/{limit.id}", limit.version)
    return ApprovalLimitOut.of(limit)
