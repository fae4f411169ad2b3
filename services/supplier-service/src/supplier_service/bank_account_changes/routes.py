"""Bank-account changes over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from council_common.database.rows import get_row
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.dependencies import SessionDep, requires
from council_common.web.resource_routes import reading_routes
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.bank_account_changes import store, usecases
from supplier_service.bank_account_changes.lists import BankAccountChangeList
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


async def _shown(session: AsyncSession, changes: Sequence[Any]) -> list[BankAccountChangeOut]:
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


async def _answer(act: Act, change: BankAccountChange) -> BankAccountChangeOut:
    act.answers(f"{router.prefix}/{change.id}", change.version)
    return (await _shown(act.session, [change]))[0]


@router.post("", status_code=201)
async def request_change(
    request: BankAccountChangeIn, act: Annotated[Act, acting("bank-accounts:write")]
) -> BankAccountChangeOut:
    """Request that a supplier is paid to another account. Payments are held until the case ends; the old contacts are
    warned, also those removed in the 90 days before. A supplier has one open case at a time."""
    change = await usecases.request_change(
        act.session,
        request.supplier_id,
        request.details(),
        via=request.requested_via,
        note=request.note,
        by=act.by,
        at=act.at,
    )
    return await _answer(act, change)


reading_routes(
    router, BankAccountChangeList, BankAccountChangeOut, of=BankAccountChange, scope="suppliers:read", show=_shown
)


@router.post("/{bank_account_change_id}/evidence", status_code=201)
async def add_evidence(
    bank_account_change_id: UUID, evidence: EvidenceIn, act: Annotated[Act, acting("bank-accounts:write")]
) -> BankAccountChangeOut:
    """Note a paper that supports the change; a call-back needs at least one."""
    change = await usecases.add_evidence(
        act.session,
        bank_account_change_id,
        kind=evidence.kind,
        reference=evidence.reference,
        note=evidence.note,
        by=act.by,
        at=act.at,
    )
    return await _answer(act, change)


@router.post("/{bank_account_change_id}/call-backs", status_code=201)
async def call_back(
    bank_account_change_id: UUID, call: CallBackIn, act: Annotated[Act, acting("bank-accounts:write")]
) -> BankAccountChangeOut:
    """Note a call to the supplier by another person than the requester. To confirm, it was made on a number held at
    least 90 days and not changed since the request, and the supplier read out the account requested: where it read
    out another, that is what the answer's last call says (`another_account`), and after three of them the change can
    only be rejected. A call that is not confirmed, on any number held, leaves the change where it needs another."""
    change = await usecases.call_back(
        act.session,
        bank_account_change_id,
        contact_id=call.contact_id,
        outcome=call.outcome,
        read_out=call.read_out(),
        note=call.note,
        by=act.by,
        at=act.at,
    )
    return await _answer(act, change)


@router.post("/{bank_account_change_id}/approvals", status_code=201)
async def approve(
    bank_account_change_id: UUID, approval: ApprovalIn, act: Annotated[Act, acting("bank-accounts:approve")]
) -> BankAccountChangeOut:
    """Approve a confirmed change, as a third person. The account is used after three working days of cooling-off.
    Where no e-mail address was there to warn, say in `warned_otherwise` how the supplier was warned (else 409)."""
    change = await usecases.approve_change(
        act.session,
        bank_account_change_id,
        note=approval.note,
        warned_otherwise=approval.warned_otherwise,
        by=act.by,
        at=act.at,
    )
    return await _answer(act, change)


@router.post("/{bank_account_change_id}/rejections", status_code=201)
async def reject(
    bank_account_change_id: UUID, rejection: RejectionIn, act: Annotated[Act, acting("bank-accounts:approve")]
) -> BankAccountChangeOut:
    """Reject a change, also during its cooling-off; the old account stands and payments go on."""
    change = await usecases.reject_change(
        act.session, bank_account_change_id, note=rejection.note, by=act.by, at=act.at
    )
    return await _answer(act, change)


@router.get("/{bank_account_change_id}/warning-contacts")
async def warning_contacts(
    bank_account_change_id: UUID, session: SessionDep, _: Annotated[Actor, requires("suppliers:read")]
) -> WarningContactsOut:
    """Who is warned of a bank-account change: every e-mail address held when it was requested and those removed in
    the 90 days before, once each. Fixed then: what becomes of the supplier's contacts later makes no difference."""
    change = await get_row(session, BankAccountChange, bank_account_change_id)
    return WarningContactsOut.of(change, await store.warning_contacts(session, bank_account_change_id))
