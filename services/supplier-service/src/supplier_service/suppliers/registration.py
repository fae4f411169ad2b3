"""Registering suppliers, one or thousands: each source reference once, good ones go in, bad ones come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.fields import SourceReference
from council_common.contracts.suppliers import SupplierRegisteredV1
from council_common.database.sessions import driver
from council_common.errors import BusinessError, FieldError
from council_common.events.outbox import OUTBOX_COLUMNS, outbox_rows
from council_common.identity.actor import Actor
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.bank_accounts.rules import BankDetails
from supplier_service.bank_accounts.store import accounts_of, add_first_accounts
from supplier_service.bank_accounts.tables import BankAccount
from supplier_service.market_sectors.store import sector_codes
from supplier_service.suppliers import store
from supplier_service.suppliers.rules import (
    NewSupplier,
    NotYourSource,
    PhoneSinceInFuture,
    SourceReferenceTaken,
    UnknownMarketSector,
    check_phone_dates,
    check_registration,
    differing_fields,
)
from supplier_service.suppliers.tables import Supplier

UNKNOWN_SECTOR = FieldError("market_sector", "no such market sector", "a code of /v1/market-sectors")
_REFUSALS: Mapping[type[BusinessError], str] = {
    NotYourSource: "Only the system that owns the source may send this; see errors.",
    PhoneSinceInFuture: "A number cannot be held since a day in the future; see errors.",
    UnknownMarketSector: "The market sector is not on the list.",
    SourceReferenceTaken: "This source reference was registered with other content; change the supplier with PATCH.",
}
_CHANGE_COLUMNS = ("id", "entity", "entity_id", "version", "at", "by", "by_name", "action")


@dataclass(frozen=True, slots=True)
class Registration:
    """What became of one supplier of a request."""

    outcome: Literal["created", "existing", "refused"]
    supplier_id: UUID | None = None
    errors: tuple[FieldError, ...] = ()
    refusal: type[BusinessError] | None = None


async def register_supplier(
    session: AsyncSession, supplier: NewSupplier, *, by: Actor, at: datetime
) -> tuple[UUID, bool]:
    """Register one supplier; its id and whether it is new.

    Raises NotYourSource, PhoneSinceInFuture, UnknownMarketSector, SourceReferenceTaken.
    """
    [registration] = await register_suppliers(session, [supplier], by=by, at=at)
    if registration.refusal is not None:
        raise registration.refusal(_REFUSALS[registration.refusal], errors=registration.errors)
    assert registration.supplier_id is not None  # noqa: S101 - what is not refused is there
    return registration.supplier_id, registration.outcome == "created"


async def register_suppliers(
    session: AsyncSession, suppliers: Sequence[NewSupplier], *, by: Actor, at: datetime
) -> list[Registration]:
    """Register suppliers in one set-based step; answers in the order of the suppliers.

    The same content under a source reference finds the supplier, other content is refused; the same holds for
    two items of one request.
    """
    sectors, today = await sector_codes(session), london_date(at)
    refused = [_refusal(supplier, sectors=sectors, roles=by.roles, today=today) for supplier in suppliers]
    new: dict[UUID, NewSupplier] = {}
    index_of: dict[tuple[str, str], int] = {}
    for index, supplier in enumerate(suppliers):
        if refused[index] is None and index_of.setdefault(supplier.source, index) == index:
            new[new_id()] = _dated(supplier, today=today)
    created = await store.insert_suppliers(session, new, by=by.subject, at=at)
    inserted = {supplier_id: supplier for supplier_id, supplier in new.items() if supplier_id in created}
    await _record(session, inserted, by=by, at=at)
    answers = {index_of[supplier.source]: Registration("created", id_) for id_, supplier in inserted.items()}
    left = [
        supplier.source for index, supplier in enumerate(suppliers) if index not in answers and refused[index] is None
    ]
    known = await _Known.of(session, left)
    return [refused[index] or answers.get(index) or known.answer(supplier) for index, supplier in enumerate(suppliers)]


def _refusal(
    supplier: NewSupplier, *, sectors: frozenset[str], roles: frozenset[str], today: date
) -> Registration | None:
    """The refusal of what cannot be registered whatever is there already; None when it can."""
    if errors := check_registration(supplier, roles=roles):
        return Registration("refused", errors=tuple(errors), refusal=NotYourSource)
    if errors := check_phone_dates(supplier, today=today):
        return Registration("refused", errors=tuple(errors), refusal=PhoneSinceInFuture)
    if supplier.market_sector is not None and supplier.market_sector not in sectors:
        return Registration("refused", errors=(UNKNOWN_SECTOR,), refusal=UnknownMarketSector)
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
    if not inserted:
        return
    accounts = {id_: supplier.bank_account for id_, supplier in inserted.items() if supplier.bank_account}
    await add_first_accounts(session, accounts, at=at)
    connection = await driver(session)
    await connection.copy_records_to_table(
        "change",
        columns=_CHANGE_COLUMNS,
        records=[
            (new_id(), "supplier", supplier_id, 1, at, by.subject, by.name, "registered") for supplier_id in inserted
        ],
    )
    events = (_registered(id_, supplier, by=by, at=at) for id_, supplier in inserted.items())
    await connection.copy_records_to_table("outbox", columns=OUTBOX_COLUMNS, records=outbox_rows(events))


def _registered(supplier_id: UUID, supplier: NewSupplier, *, by: Actor, at: datetime) -> SupplierRegisteredV1:
    return SupplierRegisteredV1(
        supplier_id=supplier_id,
        version=1,
        occurred_at=at,
        by=by.subject,
        source=SourceReference(system=supplier.source_system, reference=supplier.source_reference),
        market_sector=supplier.market_sector,
        payment_terms_days=supplier.payment_terms_days,
        status="active",
    )


@dataclass(frozen=True)
class _Known:
    """Suppliers that were there before, to be compared with what is sent now."""

    suppliers: Mapping[tuple[str, str], Supplier]
    accounts: Mapping[UUID, Sequence[BankAccount]]

    @classmethod
    async def of(cls, session: AsyncSession, sources: Sequence[tuple[str, str]]) -> _Known:
        suppliers = await store.suppliers_of_sources(session, sources)
        ids = [supplier.id for supplier in suppliers.values()]
        return cls(suppliers, await accounts_of(session, ids) if ids else {})

    def answer(self, sent: NewSupplier) -> Registration:
        supplier = self.suppliers[sent.source]
        fields = differing_fields(sent.content(), registered=supplier.registered, current=supplier.content())
        if not self._same_account(supplier.id, sent.bank_account):
            fields.append("bank_account")
        if not fields:
            return Registration("existing", supplier.id)
        errors = tuple(FieldError(name, "differs from what is registered", "the same content") for name in fields)
        return Registration("refused", errors=errors, refusal=SourceReferenceTaken)

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
