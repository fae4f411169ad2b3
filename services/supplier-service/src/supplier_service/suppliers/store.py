"""What is read and written of suppliers and their holds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.web.pages import PageQuery, fetch_page
from sqlalchemy import ARRAY, ColumnElement, Integer, Text, Uuid, any_, cast, delete, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine
from sqlmodel import col

from supplier_service.rows import UTC_TIME
from supplier_service.suppliers.rules import NewSupplier, NoSuchHold, NoSuchSupplier, SupplierStatus, fingerprints
from supplier_service.suppliers.tables import RemovedEmail, Supplier, SupplierHold

# What a new supplier's row has of its own, as arrays: JSON travels as text.
_NEW: dict[str, type[TypeEngine[Any]]] = {
    "id": Uuid,
    "source_system": Text,
    "source_reference": Text,
    "registered": Text,
    "name": Text,
    "company_number": Text,
    "vat_number": Text,
    "market_sector": Text,
    "payment_terms_days": Integer,
    "contacts": Text,
    "address": Text,
}


async def insert_suppliers(
    session: AsyncSession, suppliers: Mapping[UUID, NewSupplier], *, by: str, at: datetime
) -> set[UUID]:
    """Insert suppliers whose source reference is new, and return their ids; a racing insert is waited for.

    Sorted by source, so that two imports of the same suppliers queue up instead of blocking each other.
    """
    if not suppliers:
        return set()
    rows = [_as_row(id_, new) for id_, new in sorted(suppliers.items(), key=lambda item: item[1].source)]
    arrays: list[ColumnElement[Any]] = [
        literal([row[name] for row in rows], ARRAY(kind)) for name, kind in _NEW.items()
    ]
    new = func.unnest(*arrays).table_valued(*_NEW).render_derived(name="new")
    types = Supplier.metadata.tables["supplier"].c
    own: dict[str, ColumnElement[Any]] = {name: cast(new.c[name], types[name].type) for name in _NEW}
    values = own | {
        "version": literal(1),
        "status": literal(SupplierStatus.ACTIVE.value),
        "registered_by": literal(by),
        "registered_at": literal(at, UTC_TIME),
    }
    inserted = await session.execute(
        insert(Supplier)
        .from_select(list(values), select(*values.values()))
        .on_conflict_do_nothing(index_elements=["source_reference", "source_system"])
        .returning(col(Supplier.id))
    )
    return set(inserted.scalars())


def _as_row(supplier_id: UUID, supplier: NewSupplier) -> dict[str, Any]:
    return {
        "id": supplier_id,
        "source_system": supplier.source_system,
        "source_reference": supplier.source_reference,
        "registered": json.dumps(fingerprints(supplier.content())),
        "name": supplier.name,
        "company_number": supplier.company_number,
        "vat_number": supplier.vat_number,
        "market_sector": supplier.market_sector,
        "payment_terms_days": supplier.payment_terms_days,
        "contacts": json.dumps([contact.stored() for contact in supplier.contacts]),
        "address": json.dumps(supplier.address) if supplier.address else None,
    }


async def suppliers_of_sources(
    session: AsyncSession, sources: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Supplier]:
    """The suppliers of these (system, reference), as far as they are there."""
    if not sources:
        return {}
    systems, references = (literal(list(part), ARRAY(Text)) for part in zip(*sources, strict=True))
    source = func.unnest(systems, references).table_valued("system", "reference").render_derived()
    found = await session.execute(
        select(Supplier).join(
            source,
            (col(Supplier.source_system) == source.c.system) & (col(Supplier.source_reference) == source.c.reference),
        )
    )
    return {(supplier.source_system, supplier.source_reference): supplier for supplier in found.unique().scalars()}


async def get_supplier(session: AsyncSession, supplier_id: UUID) -> Supplier:
    """A supplier; raises NoSuchSupplier."""
    supplier = await session.get(Supplier, supplier_id)
    if supplier is None:
        raise NoSuchSupplier("There is no supplier of this id.")
    return supplier


async def lock_supplier(session: AsyncSession, supplier_id: UUID) -> Supplier:
    """A supplier, locked until the transaction ends; raises NoSuchSupplier."""
    supplier = await session.get(Supplier, supplier_id, with_for_update=True, populate_existing=True)
    if supplier is None:
        raise NoSuchSupplier("There is no supplier of this id.")
    return supplier


async def get_hold(session: AsyncSession, supplier_id: UUID, hold_id: UUID) -> SupplierHold:
    """A hold of a supplier that the caller has locked; raises NoSuchHold."""
    hold = await session.get(SupplierHold, hold_id, populate_existing=True)
    if hold is None or hold.supplier_id != supplier_id:
        raise NoSuchHold("This supplier has no hold of this id.")
    return hold


async def open_holds(session: AsyncSession, supplier_ids: Sequence[UUID]) -> dict[UUID, list[SupplierHold]]:
    """The holds not yet released, by supplier, oldest first."""
    ids = literal(list(supplier_ids), ARRAY(Uuid))
    found = await session.execute(
        select(SupplierHold)
        .where(col(SupplierHold.supplier_id) == any_(ids), col(SupplierHold.released_at).is_(None))
        .order_by(col(SupplierHold.id))
    )
    holds: dict[UUID, list[SupplierHold]] = defaultdict(list)
    for hold in found.scalars():
        holds[hold.supplier_id].append(hold)
    return holds


async def keep_removed_emails(
    session: AsyncSession, supplier_id: UUID, removed: Mapping[str, str], *, on: date
) -> None:
    """Keep addresses, with their contacts' names, that a supplier's contacts have no more from today."""
    if removed:
        rows = [
            {"supplier_id": supplier_id, "email": email, "name": name, "removed_on": on}
            for email, name in removed.items()
        ]
        kept = insert(RemovedEmail).values(rows)
        newest = {"name": kept.excluded.name, "removed_on": kept.excluded.removed_on}
        await session.execute(kept.on_conflict_do_update(index_elements=["supplier_id", "email"], set_=newest))


async def removed_emails(session: AsyncSession, supplier_id: UUID, *, since: date) -> Sequence[RemovedEmail]:
    """The addresses removed from a supplier's contacts on that day or later, the latest first."""
    found = await session.execute(
        select(RemovedEmail)
        .where(col(RemovedEmail.supplier_id) == supplier_id, col(RemovedEmail.removed_on) >= since)
        .order_by(col(RemovedEmail.removed_on).desc(), col(RemovedEmail.email))
        .execution_options(populate_existing=True)
    )
    return found.scalars().all()


async def forget_removed_emails(session: AsyncSession, *, before: date) -> int:
    """Delete the addresses that were removed before a day; how many."""
    gone = await session.execute(
        delete(RemovedEmail).where(col(RemovedEmail.removed_on) < before).returning(col(RemovedEmail.email))
    )
    return len(gone.all())


@dataclass(frozen=True)
class SupplierFilter:
    """What a list of suppliers may be narrowed by; None does not narrow."""

    ids: Sequence[UUID] | None = None
    source_system: str | None = None
    source_reference: str | None = None
    status: SupplierStatus | None = None
    market_sector: str | None = None
    company_number: str | None = None
    name_contains: str | None = None
    payments_held: bool | None = None


async def list_suppliers(
    session: AsyncSession, wanted: SupplierFilter, page: PageQuery
) -> tuple[Sequence[Supplier], str | None]:
    """A page of the suppliers a filter lets through."""
    statement = select(Supplier)
    if wanted.ids is not None:
        statement = statement.where(col(Supplier.id).in_(wanted.ids))
    for column, value in (
        (col(Supplier.source_system), wanted.source_system),
        (col(Supplier.source_reference), wanted.source_reference),
        (col(Supplier.status), wanted.status),
        (col(Supplier.market_sector), wanted.market_sector),
        (col(Supplier.company_number), wanted.company_number),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.name_contains is not None:
        statement = statement.where(col(Supplier.name).icontains(wanted.name_contains, autoescape=True))
    if wanted.payments_held is not None:
        held = or_(col(Supplier.status) == SupplierStatus.HELD, col(Supplier.open_bank_account_change_id).is_not(None))
        statement = statement.where(held if wanted.payments_held else ~held)
    return await fetch_page(
        session,
        statement,
        query=page,
        sortable={
            "registered_at": Supplier.id,
            "name": Supplier.name,
            "source_reference": Supplier.source_reference,
        },
        default="registered_at",
        id_column=Supplier.id,
    )
