"""Queries of suppliers and holds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from council_common.database.sessions import driver
from council_common.web.pages import PageQuery, fetch_page
from sqlalchemy import ARRAY, Text, Uuid, any_, delete, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from supplier_service.suppliers.rules import NewSupplier, NoSuchHold, NoSuchSupplier, Status, fingerprints
from supplier_service.suppliers.tables import RemovedEmail, Supplier, SupplierHold

_INSERT = """
INSERT INTO supplier (id, version, source_system, source_reference, registered, name, company_number, vat_number,
                      market_sector, payment_terms_days, status, contacts, address, registered_by, registered_at)
SELECT id, 1, source_system, source_reference, registered::jsonb, name, company_number, vat_number,
       market_sector, payment_terms_days, 'active', contacts::jsonb, address::jsonb, $11, $12
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::int[], $10::text[], $13::text[])
     AS told (id, source_system, source_reference, registered, name, company_number, vat_number, market_sector,
              payment_terms_days, contacts, address)
ON CONFLICT (source_reference, source_system) DO NOTHING
RETURNING id
"""


async def insert_suppliers(
    session: AsyncSession, told: Mapping[UUID, NewSupplier], *, by: str, at: datetime
) -> set[UUID]:
    """Insert suppliers whose source reference is new, and return their ids; a racing one is waited for.

    Sorted by source, so that two imports of the same suppliers queue up instead of blocking each other.
    """
    if not told:
        return set()
    rows = sorted(told.items(), key=lambda row: row[1].source)
    each = [supplier for _, supplier in rows]
    inserted = await (await driver(session)).fetch(
        _INSERT,
        [supplier_id for supplier_id, _ in rows],
        [supplier.source_system for supplier in each],
        [supplier.source_reference for supplier in each],
        [json.dumps(fingerprints(supplier.content())) for supplier in each],
        [supplier.name for supplier in each],
        [supplier.company_number for supplier in each],
        [supplier.vat_number for supplier in each],
        [supplier.market_sector for supplier in each],
        [supplier.payment_terms_days for supplier in each],
        [json.dumps([contact.stored() for contact in supplier.contacts]) for supplier in each],
        by,
        at,
        [json.dumps(supplier.address) if supplier.address else None for supplier in each],
    )
    return {row["id"] for row in inserted}


async def suppliers_of_sources(
    session: AsyncSession, sources: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Supplier]:
    """The suppliers of these (system, reference), as far as they are there."""
    if not sources:
        return {}
    systems, references = (literal(list(part), ARRAY(Text)) for part in zip(*sources, strict=True))
    told = func.unnest(systems, references).table_valued("system", "reference").render_derived()
    found = await session.execute(
        select(Supplier).join(
            told,
            (col(Supplier.source_system) == told.c.system) & (col(Supplier.source_reference) == told.c.reference),
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
    """Keep addresses (each with its contact's name) that a supplier's contacts have no more from today."""
    if removed:
        rows = [
            {"supplier_id": supplier_id, "email": email, "name": name, "removed_on": on}
            for email, name in removed.items()
        ]
        told = insert(RemovedEmail).values(rows)
        newest = {"name": told.excluded.name, "removed_on": told.excluded.removed_on}
        await session.execute(told.on_conflict_do_update(index_elements=["supplier_id", "email"], set_=newest))


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
    status: Status | None = None
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
        held = or_(col(Supplier.status) == Status.HELD, col(Supplier.open_bank_account_change_id).is_not(None))
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
