"""The set-based statements by which what happens at suppliers holds and releases their unpaid invoices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.database.sessions import driver
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

# Locked in the order of ids first: an update alone locks in the order it happens to find them.
_HOLD = """
WITH found AS (
    SELECT id FROM invoice
    WHERE supplier_id = ANY($1::uuid[]) AND status IN ('received', 'held', 'approved', 'scheduled')
        AND NOT $2 = ANY(hold_reasons) AND status_before_hold IS DISTINCT FROM 'paid'
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
INSERT INTO invoice_hold (id, invoice_id, reason, placed_by, placed_by_name, placed_at)
SELECT hold.id, hold.invoice_id, $4, hold.by, 'supplier-service', $5
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS hold(id, invoice_id, by)
ON CONFLICT (invoice_id, reason) WHERE released_at IS NULL DO NOTHING
"""

_END = """
UPDATE invoice_hold SET released_by = release.by, released_by_name = 'supplier-service',
    released_at = $4, released_on = $5,
    release_reason = 'resolved', release_note = 'The supplier may be paid again.'
FROM unnest($1::uuid[], $2::text[]) AS release(invoice_id, by)
WHERE invoice_hold.invoice_id = release.invoice_id AND reason = $3 AND released_at IS NULL
"""


async def hold_unpaid(session: AsyncSession, by: Mapping[UUID, str], *, reason: str, at: datetime) -> Sequence[Any]:
    """Hold the unpaid invoices of suppliers, and place the holds by whoever began it at each supplier.

    Returns the held invoices: rows (id, supplier_id, version, hold_reasons).
    """
    connection = await driver(session)
    held: Sequence[Any] = await connection.fetch(_HOLD, list(by), reason)
    if held:
        doers = [by[invoice["supplier_id"]] for invoice in held]
        ids = [invoice["id"] for invoice in held]
        await connection.execute(_PLACE, [new_id() for _ in held], ids, doers, reason, at)
    return held


async def release_held(session: AsyncSession, by: Mapping[UUID, str], *, reason: str, at: datetime) -> Sequence[Any]:
    """Take a reason from the invoices of suppliers and end its holds; one without any left goes back to where it was.

    Returns the invoices that had it: rows (id, supplier_id, version, hold_reasons).
    """
    connection = await driver(session)
    released: Sequence[Any] = await connection.fetch(_RELEASE, list(by), reason)
    if released:
        doers = [by[invoice["supplier_id"]] for invoice in released]
        ids = [invoice["id"] for invoice in released]
        await connection.execute(_END, ids, doers, reason, at, london_date(at))
    return released
