"""`/v1/bank-account-changes`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import Now, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery
from council_common.web.preconditions import etag
from fastapi import Depends, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.bank_account_changes import store, usecases
from supplier_service.bank_account_changes.rules import BankAccountChangeStatus
from supplier_service.bank_account_changes.schemas import (
    ApprovalIn,
    BankAccountChangeIn,
    BankAccountChangeOut,
    CallBackIn,
    EvidenceIn,
    RejectionIn,
    WarningContactsOut,
)
from supplier_service.bank_account_changes.tables import BankAccountChange, CallBack, Evidence

router = resource_router("bank-account-changes")


async def _shown(session: AsyncSession, changes: Sequence[BankAccountChange]) -> list[BankAccountChangeOut]:
    ids = [change.id for change in changes]
    evidence = await store.parts_of(session, Evidence, ids)
    call_backs = await store.parts_of(session, CallBack, ids)
    contacts = await store.count_warning_contacts(session, ids)
    return [
        BankAccountChangeOut.of(
            change,
            warning_contacts=contacts[change.id],
            evidence=evidence[change.id],
            call_backs=call_backs[change.id],
        )
        for change in changes
    ]


async def _shown_with_etag(
    session: AsyncSession, change: BankAccountChange, response: Response
) -> BankAccountChangeOut:
    await session.flush()
    response.headers["etag"] = etag(change.version)
    return (await _shown(session, [change]))[0]


@router.post("", status_code=201, dependencies=[Idempotent])
async def request_change(
    request: BankAccountChangeIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("bank-accounts:write")],
) -> BankAccountChangeOut:
    """Request that a supplier is paid to another account. Payments are held until the case ends; the old contacts are
    warned, also those removed in the 90 days before. A supplier has one open case at a time."""
    change = await usecases.request_change(
        session, request.supplier_id, request.details(), via=request.requested_via, note=request.note, by=by, at=now
    )
    response.headers["location"] = f"/v1/bank-account-changes/{change.id}"
    return await _shown_with_etag(session, change, response)


@router.get("")
async def find(
    *,
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("suppliers:read")],
    supplier_id: UUID | None = None,
    status: BankAccountChangeStatus | None = None,
    open_: Annotated[bool | None, Query(alias="open", description="Whether the case still holds payments.")] = None,
) -> Page[BankAccountChangeOut]:
    """Bank-account changes, newest first; sorts by requested_at."""
    changes, following = await store.list_changes(
        session, store.BankAccountChangeFilter(supplier_id, status, open_), page
    )
    return Page(items=await _shown(session, changes), next=following)


@router.get("/{change_id}")
async def get(
    change_id: UUID, response: Response, session: SessionDep, _: Annotated[Actor, requires("suppliers:read")]
) -> BankAccountChangeOut:
    """One bank-account change with its evidence and call-backs; the account is masked."""
    return await _shown_with_etag(session, await store.get_change(session, change_id), response)


@router.post("/{change_id}/evidence", status_code=201, dependencies=[Idempotent])
async def add_evidence(
    *,
    change_id: UUID,
    evidence: EvidenceIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("bank-accounts:write")],
) -> BankAccountChangeOut:
    """Note a paper that supports the change; a call-back needs at least one."""
    change = await usecases.add_evidence(
        session, change_id, kind=evidence.kind, reference=evidence.reference, note=evidence.note, by=by, at=now
    )
    return await _shown_with_etag(session, change, response)


@router.post("/{change_id}/call-backs", status_code=201, dependencies=[Idempotent])
async def call_back(
    *,
    change_id: UUID,
    call: CallBackIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("bank-accounts:write")],
) -> BankAccountChangeOut:
    """Note a call to the supplier by another person than the requester. To confirm, it was made on a number held at
    least 90 days and not changed since the request, and the supplier read out the account requested: where it read
    out another, that is what the answer's last call says (`another_account`), and after three of them the change can
    only be rejected. A call that is not confirmed, on any number held, leaves the change where it needs another."""
    change = await usecases.call_back(
        session,
        change_id,
        contact_id=call.contact_id,
        outcome=call.outcome,
        read_out=call.read_out(),
        note=call.note,
        by=by,
        at=now,
    )
    return await _shown_with_etag(session, change, response)


@router.post("/{change_id}/approvals", status_code=201, dependencies=[Idempotent])
async def approve(
    *,
    change_id: UUID,
    approval: ApprovalIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("bank-accounts:approve")],
) -> BankAccountChangeOut:
    """Approve a confirmed change, as a third person. The account is used after three working days of cooling-off.
    Where no e-mail address was there to warn, say in `warned_otherwise` how the supplier was warned (else 409)."""
    change = await usecases.approve_change(
        session, change_id, note=approval.note, warned_otherwise=approval.warned_otherwise, by=by, at=now
    )
    return await _shown_with_etag(session, change, response)


@router.post("/{change_id}/rejections", status_code=201, dependencies=[Idempotent])
async def reject(
    *,
    change_id: UUID,
    rejection: RejectionIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("bank-accounts:approve")],
) -> BankAccountChangeOut:
    """Reject a change, also during its cooling-off; the old account stands and payments go on."""
    change = await usecases.reject_change(session, change_id, note=rejection.note, by=by, at=now)
    return await _shown_with_etag(session, change, response)


@router.get("/{change_id}/warning-contacts")
async def warning_contacts(
    change_id: UUID, session: SessionDep, _: Annotated[Actor, requires("suppliers:read")]
) -> WarningContactsOut:
    """Who is warned of a bank-account change: every e-mail address held when it was requested and those removed in
    the 90 days before, once each. Fixed then: what becomes of the supplier's contacts later makes no difference."""
    change = await store.get_change(session, change_id)
    return WarningContactsOut.of(change, await store.warning_contacts(session, change_id))


@router.get("/{change_id}/history")
async def history(
    change_id: UUID, session: SessionDep, _: Annotated[Actor, requires("suppliers:read")]
) -> list[ChangeOut]:
    """Every step of a bank-account change: who, when and why; never the account."""
    return await history_of(session, (await store.get_change(session, change_id)).id)
