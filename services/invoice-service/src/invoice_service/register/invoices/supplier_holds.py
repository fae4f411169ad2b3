"""What happens at a supplier holds and releases its unpaid invoices, all of them in a few statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.invoices import InvoiceEvent, InvoiceHeldV1, InvoiceReleasedV1
from council_common.database.sessions import driver
from council_common.identity.actor import SYSTEM, Actor
from council_common.ids import new_id
from council_common.recording import Change, record_many
from sqlalchemy.ext.asyncio import AsyncSession

# Locked in the order of ids first: an update alone locks in the order it happens to find them.
_HOLD = """
WITH found AS (
    SELECT id FROM invoice
    WHERE supplier_id = ANY($1::uuid[]) AND status IN ('received', 'held', 'approved', 'scheduled')
        AND NOT $2 = ANY(hold_reasons)
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE invoice SET
    status_before_hold = coalesce(status_before_hold, status),
    status = 'held',
    hold_reasons = hold_reasons || $2::text,
    version = version + 1
FROM found WHERE invoice.id = found.id
RETURNING invoice.id, supplier_id, version, hold_reasons
"""

_RELEASE = """
WITH found AS (
    SELECT id FROM invoice
    WHERE supplier_id = ANY($1::uuid[]) AND status = 'held' AND $2 = ANY(hold_reasons)
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE invoice SET
    status = CASE WHEN cardinality(hold_reasons) = 1 THEN status_before_hold ELSE status END,
    status_before_hold = CASE WHEN cardinality(hold_reasons) = 1 THEN NULL ELSE status_before_hold END,
    hold_reasons = array_remove(hold_reasons, $2),
    version = version + 1
FROM found WHERE invoice.id = found.id
RETURNING invoice.id, supplier_id, version, hold_reasons
"""

_PLACE = """
INSERT INTO invoice_hold (id, invoice_id, reason, placed_by, placed_at)
SELECT hold.id, hold.invoice_id, $4, hold.by, $5
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS hold(id, invoice_id, by)
ON CONFLICT (invoice_id, reason) WHERE released_at IS NULL DO NOTHING
"""

_LIFT = """
UPDATE invoice_hold SET released_by = release.by, released_at = $4, released_on = $5,
    release_reason = 'resolved', release_note = 'The supplier may be paid again.'
FROM unnest($1::uuid[], $2::text[]) AS release(invoice_id, by)
WHERE invoice_hold.invoice_id = release.invoice_id AND reason = $3 AND released_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Cause:
    """What happened at a supplier, and who did it (subject id)."""

    supplier_id: UUID
    by: str


async def hold_invoices(session: AsyncSession, causes: Sequence[Cause], *, reason: str, at: datetime) -> int:
    """Hold the unpaid invoices of suppliers; how many were. Lock the suppliers first."""
    by = {cause.supplier_id: cause.by for cause in causes}
    connection = await driver(session)
    rows = await connection.fetch(_HOLD, list(by), reason)
    if rows:
        ids = [row["id"] for row in rows]
        doers = [by[row["supplier_id"]] for row in rows]
        await connection.execute(_PLACE, [new_id() for _ in rows], ids, doers, reason, at)
        await record_many(session, _changes(rows, by, action="held", reason=reason, at=at), by=SYSTEM, at=at)
    return len(rows)


async def release_invoices(session: AsyncSession, causes: Sequence[Cause], *, reason: str, at: datetime) -> int:
    """Lift a reason from the invoices of suppliers; one without any left goes back to where it was."""
    by = {cause.supplier_id: cause.by for cause in causes}
    connection = await driver(session)
    rows = await connection.fetch(_RELEASE, list(by), reason)
    if rows:
        await connection.execute(
            _LIFT, [row["id"] for row in rows], [by[row["supplier_id"]] for row in rows], reason, at, london_date(at)
        )
        await record_many(session, _changes(rows, by, action="released", reason=reason, at=at), by=SYSTEM, at=at)
    return len(rows)


def _changes(rows: Sequence[Any], by: dict[UUID, str], *, action: str, reason: str, at: datetime) -> list[Change]:
    """Each invoice's line of history with its event: held for the reasons there are now, or released."""
    changes = []
    for row in rows:
        actor = Actor(subject=by[row["supplier_id"]], name="supplier-service")
        event = _event(row, actor.subject, at)
        changes.append(Change("invoice", row["id"], row["version"], action, event, reason, by=actor))
    return changes


def _event(row: Any, by: str, at: datetime) -> InvoiceEvent:
    about = {"invoice_id": row["id"], "supplier_id": row["supplier_id"], "version": row["version"]}
    if row["hold_reasons"]:
        return InvoiceHeldV1(**about, occurred_at=at, by=by, hold_reasons=row["hold_reasons"])
    return InvoiceReleasedV1(**about, occurred_at=at, by=by)
