"""The statements on payments. What decides about a payment is read by the driver: it is the hot path of paying."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from council_common.database.rows import columns_of, locked_row
from council_common.database.sessions import fetch_row
from council_common.errors import NotFound
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.paying.payments.tables import Payment
from invoice_service.register.invoices.store import DISPUTE_END, dispute_end
from invoice_service.register.invoices.tables import Invoice

_C: Any = Payment.__table__.c  # type: ignore[attr-defined]

# A statement that waited for the lock sees payments and holds as they were before it waited. Each of their changes
# counts the invoice's version on: where that is not the one seen, they are read again.
_LOCK_PAYABLE = f"""
SELECT {columns_of(Invoice, "locked")}, seen.version AS seen_version,
    EXISTS (SELECT FROM payment WHERE invoice_id = $1)
        OR EXISTS (SELECT FROM payment WHERE source_reference = $3 AND source_system = $2) AS has_payments,
    ({DISPUTE_END.format(invoice_id="$1", arisen_by="$4::date")}) AS dispute_ended_on
FROM invoice locked JOIN invoice seen ON seen.id = locked.id
WHERE locked.id = $1 FOR NO KEY UPDATE OF locked
"""


@dataclass(frozen=True, slots=True)
class Payable:
    """A locked invoice, its payments with the one of a source reference, and the end of its last dispute."""

    invoice: Invoice
    payments: Sequence[Payment]
    dispute_ended_on: date | None


async def lock_payable(
    session: AsyncSession, invoice_id: UUID, *, source: tuple[str, str], remitted_on: date
) -> Payable:
    """Everything that decides about a payment, the invoice locked; in one statement where there is no payment yet.

    Raises NotFound.
    """
    found = await fetch_row(session, _LOCK_PAYABLE, invoice_id, *source, remitted_on)
    if found is None:
        raise NotFound.of("invoice")
    invoice, dispute_ended_on = locked_row(session, Invoice, found), found["dispute_ended_on"]
    stale = invoice.version != found["seen_version"]
    payments = await _payments(session, invoice_id, source) if stale or found["has_payments"] else ()
    if stale:
        dispute_ended_on = await dispute_end(session, invoice_id, arisen_by=remitted_on)
    return Payable(invoice, payments, dispute_ended_on)


async def _payments(session: AsyncSession, invoice_id: UUID, source: tuple[str, str]) -> Sequence[Payment]:
    system, reference = source
    of_source = and_(_C.source_reference == reference, _C.source_system == system)
    found = await session.execute(select(Payment).where(or_(_C.invoice_id == invoice_id, of_source)))
    return found.scalars().all()
