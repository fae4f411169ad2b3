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
    NotYourSource: "This is told by the system that owns the source; see errors.",
    PhoneSinceInFuture: "A number is held since a day that has come; see errors.",
    UnknownMarketSector: "The market sector is not on the list.",
    SourceReferenceTaken: "This source reference was registered with other content; change the supplier with PATCH.",
}
_CHANGE_COLUMNS = ("id", "entity", "entity_id", "version", "at", "by", "by_name", "action")


@dataclass(frozen=True, slots=True)
class Registration:
    """What became of one supplier that was told."""

    outcome: Literal["created", "existing", "refused"]
    supplier_id: UUID | None = None
    errors: tuple[FieldError, ...] = ()
    refusal: type[BusinessError] | None = None


async def register_supplier(session: AsyncSession, told: NewSupplier, *, by: Actor, at: datetime) -> tuple[UUID, bool]:
    """Register one supplier; its id and whether it is new.

    Raises NotYourSource, PhoneSinceInFuture, UnknownMarketSector, SourceReferenceTaken.
    """
    [registration] = await register_suppliers(session, [told], by=by, at=at)
    if registration.refusal is not None:
        raise registration.refusal(_REFUSALS[registration.refusal], errors=registration.errors)
    assert registration.supplier_id is not None  # noqa: S101 - what is not refused is there
    return registration.supplier_id, registration.outcome == "created"


async def register_suppliers(
    session: AsyncSession, told: Sequence[NewSupplier], *, by: Actor, at: datetime
) -> list[Registration]:
    """Register suppliers in one set-based step; answers in the order told.

    The same content under a source reference finds the supplier, other content is refused; the same holds for
    two entries of one call.
    """
    sectors, today = await sector_codes(session), london_date(at)
    refused = [_refused(each, sectors=sectors, roles=by.roles, today=today) for each in told]
    new: dict[UUID, NewSupplier] = {}
    index_of: dict[tuple[str, str], int] = {}
    for index, each in enumerate(told):
        if refused[index] is None and index_of.setdefault(each.source, index) == index:
            new[new_id()] = _dated(each, today=today)
    created = await store.insert_suppliers(session, new, by=by.subject, at=at)
    made = {supplier_id: each for supplier_id, each in new.items() if supplier_id in created}
    await _record(session, made, by=by, at=at)
    answers = {index_of[each.source]: Registration("created", supplier_id) for supplier_id, each in made.items()}
    left = [each.source for index, each in enumerate(told) if index not in answers and refused[index] is None]
    known = await _Known.of(session, left)
    return [refused[index] or answers.get(index) or known.answer(each) for index, each in enumerate(told)]


def _refused(told: NewSupplier, *, sectors: frozenset[str], roles: frozenset[str], today: date) -> Registration | None:
    """The refusal of what cannot be registered whatever is there already; None when it can."""
    if errors := check_registration(told, roles=roles):
        return Registration("refused", errors=tuple(errors), refusal=NotYourSource)
    if errors := check_phone_dates(told, today=today):
        return Registration("refused", errors=tuple(errors), refusal=PhoneSinceInFuture)
    if told.market_sector is not None and told.market_sector not in sectors:
        return Registration("refused", errors=(UNKNOWN_SECTOR,), refusal=UnknownMarketSector)
    return None


def _dated(told: NewSupplier, *, today: date) -> NewSupplier:
    """With ids for its contacts, and the day since when each number is held: as the source says, or today."""
    contacts = (
        replace(contact, id=new_id(), phone_since=(contact.phone_since or today) if contact.phone else None)
        for contact in told.contacts
    )
    return replace(told, contacts=tuple(contacts))


async def _record(session: AsyncSession, made: Mapping[UUID, NewSupplier], *, by: Actor, at: datetime) -> None:
    """Bank accounts, history and one event for each supplier just inserted, by COPY."""
    if not made:
        return
    accounts = {supplier_id: each.bank_account for supplier_id, each in made.items() if each.bank_account}
    await add_first_accounts(session, accounts, at=at)
    connection = await driver(session)
    await connection.copy_records_to_table(
        "change",
        columns=_CHANGE_COLUMNS,
        records=[(new_id(), "supplier", supplier_id, 1, at, by.subject, by.name, "registered") for supplier_id in made],
    )
    events = (_registered(supplier_id, each, by=by, at=at) for supplier_id, each in made.items())
    await connection.copy_records_to_table("outbox", columns=OUTBOX_COLUMNS, records=outbox_rows(events))


def _registered(supplier_id: UUID, told: NewSupplier, *, by: Actor, at: datetime) -> SupplierRegisteredV1:
    return SupplierRegisteredV1(
        supplier_id=supplier_id,
        version=1,
        occurred_at=at,
        by=by.subject,
        source=SourceReference(system=told.source_system, reference=told.source_reference),
        market_sector=told.market_sector,
        payment_terms_days=told.payment_terms_days,
        status="active",
    )


@dataclass(frozen=True)
class _Known:
    """Suppliers that were there before, to be compared with what is told now."""

    suppliers: Mapping[tuple[str, str], Supplier]
    accounts: Mapping[UUID, Sequence[BankAccount]]

    @classmethod
    async def of(cls, session: AsyncSession, sources: Sequence[tuple[str, str]]) -> _Known:
        suppliers = await store.suppliers_of_sources(session, sources)
        ids = [supplier.id for supplier in suppliers.values()]
        return cls(suppliers, await accounts_of(session, ids) if ids else {})

    def answer(self, told: NewSupplier) -> Registration:
        supplier = self.suppliers[told.source]
        fields = differing_fields(told.content(), registered=supplier.registered, current=supplier.content())
        if not self._same_account(supplier.id, told):
            fields.append("bank_account")
        if not fields:
            return Registration("existing", supplier.id)
        errors = tuple(FieldError(name, "differs from what is registered", "the same content") for name in fields)
        return Registration("refused", errors=errors, refusal=SourceReferenceTaken)

    def _same_account(self, supplier_id: UUID, told: NewSupplier) -> bool:
        """Whether the account looks like the one first registered (perhaps none) or the one in use now.

        By their masks, which every reader sees: compared in full, one call would answer 5,000 guesses at the rest.
        """
        accounts = self.accounts.get(supplier_id, ())
        registered = accounts[0].details if accounts and accounts[0].change_id is None else None
        current = accounts[-1].details if accounts else None
        if told.bank_account is None:
            return registered is None
        return any(each is not None and told.bank_account.same_mask(each) for each in (registered, current))
