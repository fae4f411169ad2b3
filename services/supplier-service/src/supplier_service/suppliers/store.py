"""The statements on suppliers and their holds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME
from council_common.database.rows import get_row
from council_common.errors import NotFound
from sqlalchemy import ARRAY, ColumnElement, Integer, Text, Uuid, any_, cast, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine
from sqlmodel import col

from supplier_service.suppliers.rules import NewSupplier, SupplierStatus, fingerprints
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
        "status": literal(SupplierStatus.ACTIVE, types["status"].type),
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


async def get_hold(session: AsyncSession, supplier_id: UUID, hold_id: UUID) -> SupplierHold:
    """A hold of a supplier. Raises NotFound."""
    hold = await get_row(session, SupplierHold, hold_id)
    if hold.supplier_id != supplier_id:
        raise NotFound.of("supplier hold")
    return hold


async def holds_of(session: AsyncSession, supplier_id: UUID) -> Sequence[SupplierHold]:
    """The holds of a supplier, released ones among them, oldest first."""
    found = await session.execute(
        select(SupplierHold).where(col(SupplierHold.supplier_id) == supplier_id).order_by(col(SupplierHold.id))
    )
    return found.scalars().all()


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
