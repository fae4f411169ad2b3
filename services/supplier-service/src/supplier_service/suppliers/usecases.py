"""What is done with a registered supplier: change it, hold it, release it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.suppliers import SupplierChangedV1, SupplierHeldV1, SupplierReleasedV1
from council_common.database.rows import lock_row
from council_common.errors import FieldError, move
from council_common.holds import ReleaseReason, must_stand
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import fact, record
from council_common.web.preconditions import must_match
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.market_sectors.store import sector_codes
from supplier_service.suppliers import store
from supplier_service.suppliers.rules import (
    NEXT,
    RELEASED_BY_APPROVER,
    UNKNOWN_SECTOR,
    Contact,
    ContactsLocked,
    HoldReason,
    ReleaseNeedsApprover,
    SupplierStatus,
    UnknownContact,
    UnknownMarketSector,
    removed_emails,
    with_known_ids,
    with_phone_dates,
)
from supplier_service.suppliers.tables import Supplier, SupplierHold

# Their values are personal data: history says that they changed, not from what to what.
_WITHHELD = frozenset({"name", "contacts", "address"})
# Who is called back about a bank-account change, and where the supplier is warned of it: by e-mail, or by its
# approver where no e-mail address is held.
_LOCKED = frozenset({"contacts", "address"})


async def change_supplier(
    session: AsyncSession,
    supplier_id: UUID,
    fields: Mapping[str, Any],
    *,
    if_match: str | None,
    by: Actor,
    at: datetime,
) -> Supplier:
    """Change fields of a supplier, of the version the caller read; a value that is there already is no change.

    `fields` are columns with their new values; `contacts` are `Contact`s. E-mail addresses that go are kept for a
    while, for the warning of a bank-account change; while one is open contacts and address stay as they are.
    Raises StaleVersion, VersionRequired, UnknownMarketSector, UnknownContact, ContactsLocked.
    """
    supplier = await lock_row(session, Supplier, supplier_id)
    must_match(if_match, supplier.version)
    new = dict(fields)
    if "contacts" in new:
        new["contacts"] = _contacts(supplier, new["contacts"], at=at)
    sector = new.get("market_sector")
    if sector is not None and sector not in await sector_codes(session):
        raise UnknownMarketSector("The market sector is not on the list.", errors=[UNKNOWN_SECTOR])
    before = {name: getattr(supplier, name) for name, value in new.items() if getattr(supplier, name) != value}
    if not before:
        return supplier
    if supplier.open_bank_account_change_id is not None and (locked := _LOCKED & before.keys()):
        raise ContactsLocked(
            "A bank-account change is open: finish or reject it, then change contacts and address.",
            errors=[FieldError(name, "changed while a bank-account change is open", "as it is") for name in locked],
            bank_account_change_id=str(supplier.open_bank_account_change_id),
        )
    if "contacts" in before:
        removed = removed_emails(_read(before["contacts"]), _read(new["contacts"]))
        await store.keep_removed_emails(session, supplier.id, removed, on=london_date(at))
    if "name" in before:
        supplier.name_changed_on = london_date(at)
    for name in before:
        setattr(supplier, name, new[name])
    names = sorted(before)
    shown = [name for name in names if name not in _WITHHELD]
    values = {"before": {name: before[name] for name in shown}, "after": {name: new[name] for name in shown}}
    detail = {"fields": names} | (values if shown else {})
    changed = fact(supplier, "changed", SupplierChangedV1, detail=detail, changed=names)
    await record(session, changed, by=by, at=at)
    return supplier


def _contacts(supplier: Supplier, wanted: list[Contact], *, at: datetime) -> list[dict[str, Any]]:
    held = _read(supplier.contacts)
    if {contact.id for contact in wanted} - {contact.id for contact in held} - {None}:
        error = FieldError("contacts", "an id this supplier has no contact of", "an id as read, or none for a new one")
        raise UnknownContact("A contact is not one of this supplier's.", errors=[error])
    dated = with_phone_dates(with_known_ids(wanted, held), held, today=london_date(at))
    return [replace(contact, id=contact.id or new_id()).stored() for contact in dated]


def _read(contacts: Sequence[Mapping[str, Any]]) -> list[Contact]:
    return [Contact.of(stored) for stored in contacts]


async def place_hold(
    session: AsyncSession, supplier_id: UUID, reason: HoldReason, note: str, *, by: Actor, at: datetime
) -> tuple[SupplierHold, int]:
    """Hold every payment to a supplier; several holds may stand at once. The hold, and the supplier's new version.

    Raises IllegalMove at an end state.
    """
    supplier = await lock_row(session, Supplier, supplier_id)
    supplier.status = move(NEXT, supplier.status, SupplierStatus.HELD, thing="The supplier")
    hold = SupplierHold(
        id=new_id(),
        supplier_id=supplier.id,
        reason=reason,
        note=note,
        placed_by=by.subject,
        placed_by_name=by.name,
        placed_at=at,
    )
    detail = {"hold_id": str(hold.id), "note": note}
    await record(
        session, fact(supplier, "held", SupplierHeldV1, reason=reason, detail=detail), also=[hold], by=by, at=at
    )
    return hold, supplier.version


async def release_hold(
    session: AsyncSession,
    supplier_id: UUID,
    hold_id: UUID,
    reason: ReleaseReason,
    note: str,
    *,
    by: Actor,
    at: datetime,
) -> tuple[SupplierHold, int]:
    """Release one hold; with the last one the supplier is active again. The hold, and the supplier's new version.

    Raises HoldReleased, ReleaseNeedsApprover.
    """
    supplier = await lock_row(session, Supplier, supplier_id)
    hold = await store.get_hold(session, supplier_id, hold_id)
    must_stand(hold)
    if hold.reason in RELEASED_BY_APPROVER and "bank-accounts:approve" not in by.scopes:
        raise ReleaseNeedsApprover("Only an approver of bank-account changes releases a hold of this reason.")
    is_last = (await store.open_holds(session, [supplier_id]))[supplier_id] == [hold]
    if is_last:
        supplier.status = move(NEXT, supplier.status, SupplierStatus.ACTIVE, thing="The supplier")
    hold.released_by, hold.released_by_name, hold.released_at = by.subject, by.name, at
    hold.release_reason, hold.release_note = reason, note
    detail = {"hold_id": str(hold.id), "reason": reason, "note": note}
    event = SupplierReleasedV1 if is_last else None
    await record(
        session, fact(supplier, "released", event, reason=hold.reason, detail=detail), also=[hold], by=by, at=at
    )
    return hold, supplier.version
