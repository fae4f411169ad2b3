"""Which customer of debt-service is charged with money that a supplier has to give back, and the charge it became."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.rows import get_row, lock_row
from council_common.identity.actor import Actor
from council_common.recording import fact, record
from council_common.runtime.clients import ServiceClients
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.paying.payment_exceptions import rules, store
from invoice_service.paying.payment_exceptions.rules import CustomerUnknown, Resolution
from invoice_service.paying.payment_exceptions.tables import PaymentException

CHARGED_AS = "invoice-service"
"""The source system of these charges at debt-service; the reference is the exception's id."""


async def customer_to_charge(
    session: AsyncSession,
    exception_id: UUID,
    resolution: Resolution,
    *,
    named: UUID | None,
    clients: ServiceClients,
) -> UUID | None:
    """The customer named, where debt-service has it; else the one that has the supplier's own source reference.

    None where the resolution charges nobody. Call it before anything is locked: it waits for another service. Raises
    Malformed, CustomerUnknown and Unavailable.
    """
    found = await get_row(session, PaymentException, exception_id)
    rules.check_customer(named, resolution=resolution, recover_pence=found.recover_pence)
    if resolution is not Resolution.RECEIVABLE_RAISED:
        return None
    if named is not None:
        asked: dict[str, Any] = {"ids": [str(named)]}
    elif source := await store.source_of_supplier(session, found.supplier_id):
        asked = dict(zip(("source_system", "source_reference"), source, strict=True))
    else:
        raise CustomerUnknown
    answer = await clients.get("debt", "/v1/customers", **asked)
    customers = answer["items"] if answer else []
    if len(customers) != 1:
        raise CustomerUnknown
    return UUID(customers[0]["id"])


async def note_charges(session: AsyncSession, charges: Mapping[UUID, UUID], *, by: Actor, at: datetime) -> None:
    """Note on exceptions, by their ids, the receivables that their money became; one that is noted stays."""
    for exception_id in sorted(await store.uncharged(session, list(charges))):
        found = await lock_row(session, PaymentException, exception_id)
        found.receivable_id = charges[exception_id]
        detail = {"receivable_id": str(found.receivable_id)}
        await record(session, fact(found, "receivable raised", detail=detail), by=by, at=at)
