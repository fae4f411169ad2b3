"""The statements on payments. What decides about a payment is read by the driver: it is the hot path of paying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from council_common.contracts.fields import VatShare
from council_common.database.rows import columns_of, locked_row
from council_common.database.sessions import fetch_all, fetch_row
from council_common.errors import NotFound
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.paying.payments.tables import Payment
from invoice_service.register.credit_note_applications.store import credits_of
from invoice_service.register.invoices.store import DISPUTE_END, HELD_ON
from invoice_service.register.invoices.tables import Invoice

_C: Any = Payment.__table__.c  # type: ignore[attr-defined]

# A statement that waited for the lock sees payments and holds as they were before it waited. Each of their changes
# counts the invoice's version on: where that is not the one seen, they are read again.
_LOCK_PAYABLE = f"""
SELECT {columns_of(Invoice, "locked")}, seen.version AS seen_version,
    EXISTS (SELECT FROM payment WHERE invoice_id = $1)
        OR EXISTS (SELECT FROM payment WHERE source_reference = $3 AND source_system = $2) AS has_payments,
    ({DISPUTE_END.format(invoice_id="$1", arisen_by="$4::date")}) AS dispute_ended_on,
    {HELD_ON.format(invoice_id="$1", day="$4::date")} AS held_when_sent
FROM invoice locked JOIN invoice seen ON seen.id = locked.id
WHERE locked.id = $1 FOR NO KEY UPDATE OF locked
"""

_HOLDS = f"""
SELECT ({DISPUTE_END.format(invoice_id="$1", arisen_by="$2::date")}) AS dispute_ended_on,
    {HELD_ON.format(invoice_id="$1", day="$2::date")} AS held_when_sent
"""
_LOCK_PAYMENTS = f"""
SELECT {columns_of(Payment, "p")} FROM payment p WHERE invoice_id = $1
ORDER BY remitted_on, id FOR NO KEY UPDATE
"""


@dataclass(frozen=True, slots=True)
class Payable:
    """A locked invoice, its payments with the one of a source reference, and its holds when the money was sent.

    `dispute_ended_on` is the end of the last dispute that had arisen by then, `held_when_sent` the reasons to hold it
    that stood on that day, `credits` what credit notes took off it per VAT rate.
    """

    invoice: Invoice
    payments: Sequence[Payment]
    dispute_ended_on: date | None
    held_when_sent: Sequence[str]
    credits: Sequence[Sequence[VatShare]] = ()


async def lock_payable(
    session: AsyncSession, invoice_id: UUID, *, source: tuple[str, str], remitted_on: date
) -> Payable:
    """Everything that decides about a payment, the invoice locked; in one statement where there is no payment yet.

    Raises NotFound.
    """
    found = await fetch_row(session, _LOCK_PAYABLE, invoice_id, *source, remitted_on)
    if found is None:
        raise NotFound.of("invoice")
    invoice, holds = locked_row(session, Invoice, found), found
    stale = invoice.version != found["seen_version"]
    payments = await _payments(session, invoice_id, source) if stale or found["has_payments"] else ()
    if stale:
        holds = await holds_on(session, invoice_id, remitted_on)
    credits_ = await credits_of(session, invoice)
    return Payable(invoice, payments, holds["dispute_ended_on"], holds["held_when_sent"], credits_)


async def holds_on(session: AsyncSession, invoice_id: UUID, day: date) -> Mapping[str, Any]:
    """`dispute_ended_on` and `held_when_sent` of an invoice, for money sent on a day."""
    found = await fetch_row(session, _HOLDS, invoice_id, day)
    return found or {"dispute_ended_on": None, "held_when_sent": []}


async def lock_payments_of(session: AsyncSession, invoice_id: UUID) -> Sequence[Payment]:
    """The payments of a locked invoice, oldest first, locked as well."""
    rows = await fetch_all(session, _LOCK_PAYMENTS, invoice_id)
    return [locked_row(session, Payment, row) for row in rows]


async def _payments(session: AsyncSession, invoice_id: UUID, source: tuple[str, str]) -> Sequence[Payment]:
    system, reference = source
    of_source = and_(_C.source_reference == reference, _C.source_system == system)
    found = await session.execute(select(Payment).where(or_(_C.invoice_id == invoice_id, of_source)))
    return found.scalars().all()
