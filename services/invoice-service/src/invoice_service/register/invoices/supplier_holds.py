"""What happens at a supplier holds and releases its unpaid invoices, all of them in a few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.contracts.invoices import InvoiceEvent, InvoiceHeldV1, InvoiceReleasedV1
from council_common.identity.actor import SYSTEM, Actor
from council_common.recording import Change, record_many
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.invoices.supplier_holds_store import hold_unpaid, release_held


@dataclass(frozen=True, slots=True)
class Cause:
    """What happened at a supplier, and who did it (subject id)."""

    supplier_id: UUID
    by: str


async def hold_invoices(session: AsyncSession, causes: Sequence[Cause], *, reason: str, at: datetime) -> int:
    """Hold the unpaid invoices of suppliers; how many were. Lock the suppliers first."""
    by = {cause.supplier_id: cause.by for cause in causes}
    held = await hold_unpaid(session, by, reason=reason, at=at)
    await record_many(session, _changes(held, by, action="held", reason=reason), by=SYSTEM, at=at)
    return len(held)


async def release_invoices(session: AsyncSession, causes: Sequence[Cause], *, reason: str, at: datetime) -> int:
    """Take a reason from the invoices of suppliers; one without any left goes back to where it was."""
    by = {cause.supplier_id: cause.by for cause in causes}
    released = await release_held(session, by, reason=reason, at=at)
    await record_many(session, _changes(released, by, action="released", reason=reason), by=SYSTEM, at=at)
    return len(released)


def _changes(rows: Sequence[Any], by: Mapping[UUID, str], *, action: str, reason: str) -> list[Change]:
    """Each invoice's line of history with its event: held for the reasons there are now, or released."""
    changes = []
    for row in rows:
        actor = Actor(subject=by[row["supplier_id"]], name="supplier-service")
        fields, reasons = {"supplier_id": row["supplier_id"]}, row["hold_reasons"]
        event: type[InvoiceEvent] = InvoiceHeldV1 if reasons else InvoiceReleasedV1
        fields |= {"hold_reasons": reasons} if reasons else {}
        changes.append(Change("invoice", row["id"], row["version"], action, event, reason, by=actor, fields=fields))
    return changes
