"""Registering suppliers, one or thousands: each source reference once, good ones go in, bad ones come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.fields import SourceReference
from council_common.contracts.suppliers import SupplierRegisteredV1
from council_common.database.many_rows import rows_by_source
from council_common.errors import BusinessError, DateInFuture, SourceReferenceTaken
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import Change, record_many
from council_common.web.bulk import Outcome, refused
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.bank_accounts.rules import BankDetails
from supplier_service.bank_accounts.store import accounts_of, add_first_accounts
from supplier_service.bank_accounts.tables import BankAccount
from supplier_service.market_sectors.store import sector_codes
from supplier_service.suppliers import store
from supplier_service.suppliers.rules import (
    UNKNOWN_SECTOR,
    NewSupplier,
    NotYourSource,
    UnknownMarketSector,
    check_registration,
    differing_fields,
    future_phone_dates,
)
from supplier_service.suppliers.tables import Supplier


async def register_supplier(
    session: AsyncSession, supplier: NewSupplier, *, by: Actor, at: datetime
) -> tuple[UUID, bool]:
    """Register one supplier; its id and whether it is new.

    Raises NotYourSource, DateInFuture, UnknownMarketSector, SourceReferenceTaken.
    """
    [outcome] = await register_suppliers(session, {0: supplier}, by=by, at=at)
    return outcome.id_or_refusal(), outcome.result == "created"


async def register_suppliers(
    session: AsyncSession, suppliers: Mapping[int, NewSupplier], *, by: Actor, at: datetime
) -> list[Outcome]:
    """Register suppliers, each under its index in the request, in one set-based step; what became of each.

    The same content under a source reference finds the supplier, other content is refused; the same holds for
    two items of one request.
    """
    sectors, today = await sector_codes(session), london_date(at)
    outcomes: dict[int, Outcome] = {}
    new: dict[UUID, NewSupplier] = {}
    index_of: dict[tuple[str, str], int] = {}
    for index, supplier in suppliers.items():
        if (refusal := _refusal(supplier, sectors=sectors, roles=by.roles, today=today)) is not None:
            outcomes[index] = refused(index, refusal)
        elif index_of.setdefault(supplier.source, index) == index:
            new[new_id()] = _dated(supplier, today=today)
    created = await store.insert_suppliers(session, new, by=by.subject, at=at)
    inserted = {supplier_id: supplier for supplier_id, supplier in new.items() if supplier_id in created}
    await _record(session, inserted, by=by, at=at)
    for supplier_id, supplier in inserted.items():
        index = index_of[supplier.source]
        outcomes[index] = Outcome(index, "created", supplier_id)
    left = {index: supplier for index, supplier in suppliers.items() if index not in outcomes}
    known = await _Known.of(session, [supplier.source for supplier in left.values()])
    outcomes |= {index: known.outcome(index, supplier) for index, supplier in left.items()}
    return list(outcomes.values())


def _refusal(
    supplier: NewSupplier, *, sectors: frozenset[str], roles: frozenset[str], today: date
) -> BusinessError | None:
    """The refusal of what cannot be registered whatever is there already; None when it can."""
    if errors := check_registration(supplier, roles=roles):
        return NotYourSource("Only the system that owns the source may send this; see errors.", errors=errors)
    if fields := future_phone_dates(supplier, today=today):
        return DateInFuture(*fields, today=today)
    if supplier.market_sector is not None and supplier.market_sector not in sectors:
        return UnknownMarketSector("The market sector is not on the list.", errors=[UNKNOWN_SECTOR])
    return None


def _dated(supplier: NewSupplier, *, today: date) -> NewSupplier:
    """With ids for its contacts, and the day since when their numbers are held: as the source has it, or today."""
    contacts = (
        replace(contact, id=new_id(), phone_since=(contact.phone_since or today) if contact.phone else None)
        for contact in supplier.contacts
    )
    return replace(supplier, contacts=tuple(contacts))


async def _record(session: AsyncSession, inserted: Mapping[UUID, NewSupplier], *, by: Actor, at: datetime) -> None:
    """Bank accounts, history and one event for each supplier just inserted, by COPY."""
    accounts = {id_: supplier.bank_account for id_, supplier in inserted.items() if supplier.bank_account}
    await add_first_accounts(session, accounts, at=at)
    changes = (
        Change("supplier", id_, 1, "registered", SupplierRegisteredV1, fields=_published(supplier))
        for id_, supplier in inserted.items()
    )
    await record_many(session, changes, by=by, at=at)


def _published(supplier: NewSupplier) -> dict[str, Any]:
    return {
        "source": SourceReference(system=supplier.source_system, reference=supplier.source_reference),
        "market_sector": supplier.market_sector,
        "payment_terms_days": supplier.payment_terms_days,
        "status": "active",
    }


@dataclass(frozen=True)
class _Known:
    """Suppliers that were there before, to be compared with what is sent now."""

    suppliers: Mapping[tuple[str, str], Supplier]
    accounts: Mapping[UUID, Sequence[BankAccount]]

    @classmethod
    async def of(cls, session: AsyncSession, sources: Sequence[tuple[str, str]]) -> _Known:
        suppliers = await rows_by_source(session, Supplier, sources)
        ids = [supplier.id for supplier in suppliers.values()]
        return cls(suppliers, await accounts_of(session, ids) if ids else {})

    def outcome(self, index: int, sent: NewSupplier) -> Outcome:
        supplier = self.suppliers[sent.source]
        fields = differing_fields(sent.content(), registered=supplier.registered, current=supplier.content())
        if not self._same_account(supplier.id, sent.bank_account):
            fields.append("bank_account")
        if not fields:
            return Outcome(index, "existing", supplier.id)
        return refused(index, SourceReferenceTaken("supplier", record_id=supplier.id, fields=fields))

    def _same_account(self, supplier_id: UUID, sent: BankDetails | None) -> bool:
        """Whether the account looks like the one first registered (perhaps none) or the one in use now.

        By their masks, which every reader sees: compared in full, one request would answer 5,000 guesses at the rest.
        """
        accounts = self.accounts.get(supplier_id, ())
        registered = accounts[0].details if accounts and accounts[0].change_id is None else None
        current = accounts[-1].details if accounts else None
        if sent is None:
            return registered is None
        return any(account is not None and sent.same_mask(account) for account in (registered, current))
