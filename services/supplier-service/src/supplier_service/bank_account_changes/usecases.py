"""What is done with a bank-account change, from the request to the account in use. No step publishes an account."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.suppliers import (
    BankAccountActivatedV1,
    BankAccountChangeRejectedV1,
    BankAccountChangeRequestedV1,
    SupplierEvent,
)
from council_common.database.rows import get_row, lock_row
from council_common.errors import FieldError
from council_common.identity.actor import SYSTEM, Actor
from council_common.ids import new_id
from council_common.recording import Fact, fact, record
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.bank_account_changes import rules, store
from supplier_service.bank_account_changes.rules import (
    BankAccountChangeOpen,
    BankAccountChangeStatus,
    BankAccountUnchanged,
    CallBackOutcome,
    ContactToWarn,
    EvidenceKind,
    HeldAs,
    NumberNotTrusted,
    RequestedVia,
    SupplierEnded,
)
from supplier_service.bank_account_changes.tables import BankAccountChange, CallBack, Evidence, WarningContact
from supplier_service.bank_accounts.rules import BankDetails, same_name
from supplier_service.bank_accounts.store import accounts_of, next_account
from supplier_service.suppliers.rules import NEXT as SUPPLIER_NEXT
from supplier_service.suppliers.rules import Contact
from supplier_service.suppliers.store import removed_emails
from supplier_service.suppliers.tables import Supplier


async def request_change(
    session: AsyncSession,
    supplier_id: UUID,
    details: BankDetails,
    *,
    via: RequestedVia,
    note: str,
    by: Actor,
    at: datetime,
) -> BankAccountChange:
    """Open a case: every payment to the supplier is held from now on, and who is warned of it is fixed.

    Raises BankAccountChangeOpen, BankAccountUnchanged, SupplierEnded.
    """
    supplier = await lock_row(session, Supplier, supplier_id)
    if not SUPPLIER_NEXT[supplier.status]:
        raise SupplierEnded(f"The supplier is {supplier.status}.")
    if supplier.open_bank_account_change_id is not None:
        raise BankAccountChangeOpen(
            "This supplier has an open bank-account change; finish or reject that one first.",
            bank_account_change_id=str(supplier.open_bank_account_change_id),
        )
    accounts = (await accounts_of(session, [supplier_id]))[supplier_id]
    if accounts and accounts[-1].details.same_account(details):
        raise BankAccountUnchanged("This account is the one in use; its holder's name alone needs no case.")
    account_name = details.account_name or supplier.name
    name_changed_on = rules.name_changed_lately(supplier.name_changed_on, requested_on=london_date(at))
    change = BankAccountChange(
        id=new_id(),
        supplier_id=supplier_id,
        version=0,
        status=BankAccountChangeStatus.REQUESTED,
        sort_code=details.sort_code,
        account_number=details.account_number,
        account_name=account_name,
        account_name_matches=name_changed_on is None and same_name(account_name, supplier.name),
        name_changed_on=name_changed_on,
        requested_via=via,
        note=note,
        requested_by=by.subject,
        requested_by_name=by.name,
        requested_at=at,
    )
    supplier.open_bank_account_change_id = change.id
    requested = _on_supplier(
        supplier, change, "bank account change requested", BankAccountChangeRequestedV1, requested_on=london_date(at)
    )
    contacts = await _warning_contacts(session, supplier, change)
    await record(session, fact(change, "requested", detail={"note": note}), requested, also=contacts, by=by, at=at)
    return change


async def _warning_contacts(
    session: AsyncSession, supplier: Supplier, change: BankAccountChange
) -> list[WarningContact]:
    """The addresses held now and those that were held lately: the old contacts, even if new ones were written in."""
    contacts = map(Contact.of, supplier.contacts)
    current = [ContactToWarn(contact.name, contact.email, HeldAs.CURRENT) for contact in contacts if contact.email]
    since = rules.removed_emails_since(london_date(change.requested_at))
    removed = [
        ContactToWarn(email.name, email.email, HeldAs.REMOVED, email.removed_on)
        for email in await removed_emails(session, supplier.id, since=since)
    ]
    return [
        WarningContact(
            change_id=change.id,
            position=position,
            name=contact.name,
            email=contact.email,
            held=contact.held,
            removed_on=contact.removed_on,
        )
        for position, contact in enumerate(rules.contacts_to_warn([*current, *removed]))
    ]


async def add_evidence(
    session: AsyncSession,
    change_id: UUID,
    *,
    kind: EvidenceKind,
    reference: str,
    note: str | None,
    by: Actor,
    at: datetime,
) -> BankAccountChange:
    """Note a paper that supports the case, and where it is kept. Raises IllegalMove."""
    change = await lock_row(session, BankAccountChange, change_id)
    status = rules.after_evidence(change.status)
    change.status = status
    paper = Evidence(
        id=new_id(),
        change_id=change.id,
        kind=kind,
        reference=reference,
        note=note,
        added_by=by.subject,
        added_by_name=by.name,
        added_at=at,
    )
    added = fact(change, "evidence added", detail={"kind": kind, "note": note})
    await record(session, added, also=[paper], by=by, at=at)
    return change


async def call_back(
    session: AsyncSession,
    change_id: UUID,
    *,
    contact_id: UUID,
    outcome: CallBackOutcome,
    read_out: BankDetails | None,
    note: str,
    by: Actor,
    at: datetime,
) -> BankAccountChange:
    """Note a call to the supplier by another person than the requester; one that confirms was made on an old number.

    `read_out` is the account as the supplier named it on the telephone: compared and dropped, needed to confirm. Where
    it is another than the one requested, the call is noted as just that: the strongest sign of a fraud there is.
    Raises ApprovesOwnRequest, NumberNotTrusted, AccountNotReadOut, TooManyWrongReadOuts, IllegalMove.
    """
    change = await lock_row(session, BankAccountChange, change_id)
    rules.must_be_second(by, requested_by=change.requested_by)
    rules.after_call_back(change.status, outcome)
    contact = _contact(await get_row(session, Supplier, change.supplier_id), contact_id)
    if outcome is CallBackOutcome.CONFIRMED:
        requested_on, called_on = london_date(change.requested_at), london_date(at)
        rules.must_be_trusted(contact.phone_since, requested_on=requested_on, called_on=called_on)
        calls = (await store.parts_of(session, CallBack, [change_id]))[change_id]
        wrong = sum(call.outcome is CallBackOutcome.ANOTHER_ACCOUNT for call in calls)
        outcome = rules.outcome_of_read_out(read_out, requested=change.details, wrong_before=wrong, called_on=called_on)
    change.status = rules.after_call_back(change.status, outcome)
    change.called_back_by = by.subject if outcome is CallBackOutcome.CONFIRMED else None
    call = CallBack(
        id=new_id(),
        change_id=change.id,
        contact_id=contact_id,
        outcome=outcome,
        note=note,
        called_by=by.subject,
        called_by_name=by.name,
        called_at=at,
    )
    detail = {"outcome": outcome, "contact_id": str(contact_id), "note": note}
    await record(session, fact(change, "called back", detail=detail), also=[call], by=by, at=at)
    return change


def _contact(supplier: Supplier, contact_id: UUID) -> Contact:
    for contact in map(Contact.of, supplier.contacts):
        if contact.id == contact_id and contact.phone:
            return contact
    raise NumberNotTrusted(
        "The supplier has no such contact with a telephone number; call on a number that is held.",
        errors=[FieldError("contact_id", "no contact with a number", "a contact of the supplier with a number")],
    )


async def approve_change(
    session: AsyncSession,
    change_id: UUID,
    *,
    note: str | None,
    warned_otherwise: str | None,
    by: Actor,
    at: datetime,
) -> BankAccountChange:
    """Approve a case as a third person; the account is used once the cooling-off is over.

    `warned_otherwise`: how the supplier was warned where it has no e-mail address; the approver answers for it.
    Raises ApprovesOwnRequest, IllegalMove, SupplierNotWarned.
    """
    change = await lock_row(session, BankAccountChange, change_id)
    calls = (await store.parts_of(session, CallBack, [change_id]))[change_id]
    rules.must_be_third(by, requested_by=change.requested_by, called_by=[call.called_by for call in calls])
    status = rules.move(change.status, BankAccountChangeStatus.APPROVED)
    contacts = (await store.count_warning_contacts(session, [change_id]))[change_id]
    rules.must_be_warned(contacts=contacts, warned_otherwise=warned_otherwise)
    change.status, change.warned_otherwise = status, warned_otherwise
    change.approved_by, change.approved_by_name, change.approved_at = by.subject, by.name, at
    change.cooling_off_until = rules.cooling_off_until(london_date(at))
    detail = {"cooling_off_until": change.cooling_off_until, "warned_otherwise": warned_otherwise, "note": note}
    await record(session, fact(change, "approved", detail=detail), by=by, at=at)
    return change


async def reject_change(
    session: AsyncSession, change_id: UUID, *, note: str, by: Actor, at: datetime
) -> BankAccountChange:
    """End a case, also during its cooling-off; the account in use stands and payments go on.

    Raises IllegalMove.
    """
    supplier, change = await _lock_both(session, change_id)
    status = rules.move(change.status, BankAccountChangeStatus.REJECTED)
    change.status = status
    change.rejected_by, change.rejected_by_name, change.rejected_at = by.subject, by.name, at
    supplier.open_bank_account_change_id = None
    rejected = _on_supplier(supplier, change, "bank account change rejected", BankAccountChangeRejectedV1)
    await record(session, fact(change, "rejected", detail={"note": note}), rejected, by=by, at=at)
    return change


async def activate_account(session: AsyncSession, change_id: UUID, *, at: datetime) -> bool:
    """Use the new account once the case has cooled off; False when it has not, or was ended meanwhile."""
    supplier, change = await _lock_both(session, change_id)
    if not rules.may_activate(change.status, change.cooling_off_until, today=london_date(at)):
        return False
    change.status = rules.move(change.status, BankAccountChangeStatus.ACTIVE)
    change.activated_at = at
    supplier.open_bank_account_change_id = None
    account = await next_account(session, supplier.id, change.details, change_id=change.id, at=at)
    changed = _on_supplier(
        supplier, change, "bank account changed", BankAccountActivatedV1, approved_by=change.approved_by
    )
    await record(session, fact(change, "activated"), changed, also=[account], by=SYSTEM, at=at)
    return True


async def _lock_both(session: AsyncSession, change_id: UUID) -> tuple[Supplier, BankAccountChange]:
    """Both rows, the supplier first: every use case that locks both does it in this order."""
    supplier_id = (await get_row(session, BankAccountChange, change_id)).supplier_id
    supplier = await lock_row(session, Supplier, supplier_id)
    return supplier, await lock_row(session, BankAccountChange, change_id)


def _on_supplier(
    supplier: Supplier, change: BankAccountChange, action: str, event: type[SupplierEvent], **fields: Any
) -> Fact:
    """The same fact as one about the supplier: its version orders the event among the supplier's others."""
    detail = {"bank_account_change_id": str(change.id)}
    return fact(supplier, action, event, detail=detail, change_id=change.id, **fields)
