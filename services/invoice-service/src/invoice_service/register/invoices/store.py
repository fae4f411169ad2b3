"""The statements on single invoices and their holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from council_common.database.rows import get_row
from council_common.errors import NotFound
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.invoices.rules import ENDED
from invoice_service.register.invoices.tables import InvoiceHold

_H: Any = InvoiceHold.__table__.c  # type: ignore[attr-defined]

ENDED_SQL = ", ".join(f"'{status}'" for status in ENDED)


def earlier_with_number(*, supplier_id: str, number_key: str, kind: str) -> str:
    """Rule D1 as SQL: the earliest invoice of a supplier, number and kind; the arguments are SQL themselves.

    One that was held as a duplicate counts as well: its hold may have been released, and the one it repeats cancelled.
    Source: the council's duplicate rule D1 (same supplier, normalised number and kind).
    """
    return f"""
        SELECT earlier.id FROM invoice earlier
        WHERE earlier.number_key = {number_key} AND earlier.supplier_id = {supplier_id} AND earlier.kind = {kind}
            AND earlier.status NOT IN ({ENDED_SQL})
        ORDER BY earlier.id LIMIT 1
    """


# Only of disputes that had arisen by a day: one that began after the money was sent changes nothing about it. One that
# stands has not ended: infinity, which the driver reads as `date.max`.
DISPUTE_END = """
    SELECT max(coalesce(released_on, 'infinity'::date)) AS ended_on FROM invoice_hold
    WHERE invoice_id = {invoice_id} AND reason = 'dispute'
        AND coalesce(placed_on, (placed_at AT TIME ZONE 'Europe/London')::date) <= {arisen_by}
"""

# The reasons to hold an invoice that stood at the end of a day: they had arisen by then, and were gone later or never.
HELD_ON = """
    ARRAY(
        SELECT DISTINCT reason FROM invoice_hold
        WHERE invoice_id = {invoice_id} AND (released_on IS NULL OR released_on > {day})
            AND coalesce(placed_on, (placed_at AT TIME ZONE 'Europe/London')::date) <= {day}
        ORDER BY reason
    )
"""


async def holds_of(session: AsyncSession, invoice_id: UUID, *, open_only: bool = False) -> Sequence[InvoiceHold]:
    """An invoice's holds, oldest first."""
    statement = select(InvoiceHold).where(_H.invoice_id == invoice_id).order_by(_H.placed_at, _H.id).limit(1000)
    if open_only:
        statement = statement.where(_H.released_at.is_(None))
    return (await session.execute(statement)).scalars().all()


async def get_hold(session: AsyncSession, invoice_id: UUID, hold_id: UUID) -> InvoiceHold:
    """One hold of an invoice. Raises NotFound."""
    hold = await get_row(session, InvoiceHold, hold_id)
    if hold.invoice_id != invoice_id:
        raise NotFound.of("invoice hold")
    return hold
