"""Keeping the projection: from events, and by asking supplier-service where an event has not reached us yet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from council_common.contracts.suppliers import (
    BankAccountActivatedV1,
    BankAccountChangeRejectedV1,
    BankAccountChangeRequestedV1,
    SupplierChangedV1,
    SupplierHeldV1,
    SupplierRegisteredV1,
    SupplierReleasedV1,
)
from council_common.database.sessions import Sessions
from council_common.runtime.clients import ServiceClients
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.suppliers import store
from invoice_service.register.suppliers.rules import HELD, KnownSupplier

_AT_ONCE = 8
_MOST_ASKED = 200


async def keep_registered(session: AsyncSession, events: Sequence[SupplierRegisteredV1]) -> None:
    """Remember suppliers that were registered."""
    await store.keep(
        session,
        [
            KnownSupplier(
                supplier_id=event.supplier_id,
                source_system=event.source.system,
                source_reference=event.source.reference,
                status=event.status,
                payment_terms_days=event.payment_terms_days,
                version=event.version,
            )
            for event in events
        ],
    )


async def keep_changed(session: AsyncSession, events: Sequence[SupplierChangedV1]) -> None:
    """Remember changed terms and status."""
    ids = [event.supplier_id for event in events]
    await store.lock(session, ids)
    await store.set_terms(
        session,
        ids,
        [event.status for event in events],
        [event.payment_terms_days for event in events],
        [event.version for event in events],
    )


async def keep_held(session: AsyncSession, events: Sequence[SupplierHeldV1]) -> set[UUID]:
    """Remember suppliers that must not be paid; those of them that are held by the newest that is known."""
    statuses = await _set_status(session, events, HELD)
    return {supplier_id for supplier_id, status in statuses.items() if status == HELD}


async def keep_released(session: AsyncSession, events: Sequence[SupplierReleasedV1]) -> set[UUID]:
    """Remember suppliers that may be paid again; those of them that are not held by the newest that is known."""
    statuses = await _set_status(session, events, "active")
    return {supplier_id for supplier_id, status in statuses.items() if status != HELD}


async def open_changes(session: AsyncSession, events: Sequence[BankAccountChangeRequestedV1]) -> None:
    """Remember bank-account changes that wait for a decision."""
    ids = [event.supplier_id for event in events]
    await store.lock(session, ids)
    await store.open_changes(session, ids, [event.change_id for event in events])


async def close_changes(
    session: AsyncSession, events: Sequence[BankAccountChangeRejectedV1 | BankAccountActivatedV1]
) -> set[UUID]:
    """Forget decided bank-account changes; the suppliers that have none left."""
    ids = [event.supplier_id for event in events]
    await store.lock(session, ids)
    left = await store.close_changes(session, ids, [event.change_id for event in events])
    return {supplier_id for supplier_id, still_open in left.items() if not still_open}


async def ask_for_supplier(
    sessions: Sessions,
    clients: ServiceClients,
    *,
    supplier_id: UUID | None,
    system: str | None,
    reference: str | None,
) -> bool:
    """Ask supplier-service for one supplier and remember it; False where nobody knows it.

    Call it outside a transaction: it waits for another service.
    """
    if supplier_id is not None:
        answer = await clients.get("supplier", f"/v1/suppliers/{supplier_id}")
    else:
        answer = await _by_source(clients, str(system), str(reference))
    if answer is None:
        return False
    async with sessions.begin() as session:
        await store.keep(session, [KnownSupplier.of(answer)])
    return True


async def ask_for_unknown(session: AsyncSession, clients: ServiceClients, names: Sequence[store.SupplierName]) -> None:
    """Ask supplier-service for suppliers that are named and not known here, and remember them; at most 200.

    Call it before anything is locked: it waits for another service. Those nobody knows stay unknown.
    """
    known = await store.NamedSuppliers.find(session, names)
    unknown = [name for name in dict.fromkeys(names) if known.of(*name) is None][:_MOST_ASKED]
    if not unknown:
        return
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(supplier_id: UUID | None, system: str | None, reference: str | None) -> Any:
        async with gate:
            if supplier_id is not None:
                return await clients.get("supplier", f"/v1/suppliers/{supplier_id}")
            return await _by_source(clients, str(system), str(reference))

    answers = await asyncio.gather(*(ask(*name) for name in unknown))
    found = [KnownSupplier.of(answer) for answer in answers if answer is not None]
    if found:
        await store.keep(session, found)


async def ask_for_references(clients: ServiceClients, system: str, references: Iterable[str]) -> list[KnownSupplier]:
    """Ask supplier-service for several references, a few at a time; those nobody knows are left out."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(reference: str) -> Any:
        async with gate:
            return await _by_source(clients, system, reference)

    answers = await asyncio.gather(*(ask(reference) for reference in references))
    return [KnownSupplier.of(answer) for answer in answers if answer is not None]


async def _by_source(clients: ServiceClients, system: str, reference: str) -> Any:
    answer = await clients.get("supplier", "/v1/suppliers", source_system=system, source_reference=reference)
    items = (answer or {}).get("items", [])
    return items[0] if items else None


async def _set_status(
    session: AsyncSession, events: Sequence[SupplierHeldV1 | SupplierReleasedV1], status: str
) -> dict[UUID, str]:
    """The suppliers' status afterwards: an answer of supplier-service may have shown a later one before the event."""
    ids = [event.supplier_id for event in events]
    await store.lock(session, ids)
    await store.set_status(session, ids, [event.version for event in events], status)
    return await store.statuses(session, ids)
