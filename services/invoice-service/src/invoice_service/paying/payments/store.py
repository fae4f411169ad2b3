"""The statements on payments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from council_common.errors import NotFound
from sqlalchemy import and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from invoice_service.paying.payments.tables import Payment
from invoice_service.register.invoices.store import dispute_end
from invoice_service.register.invoices.tables import Invoice

_C: Any = Payment.__table__.c  # type: ignore[attr-defined]


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

    A statement that waited for the lock sees payments and holds as they were before: each of their changes counts the
    invoice's version on, so a version other than the one seen means to read again. Raises NotFound.
    """
    seen = aliased(Invoice)
    found = await session.execute(
        select(
            Invoice,
            _known_version(seen),
            exists().where(_of_invoice_or_source(invoice_id, source)).label("has_payments"),
            dispute_end(invoice_id, arisen_by=remitted_on).label("dispute_ended_on"),
        )
        .join(seen, seen.id == Invoice.id)  # type: ignore[arg-type]
        .where(Invoice.id == invoice_id)  # type: ignore[arg-type]
        .with_for_update(of=Invoice, key_share=True)
        .execution_options(populate_existing=True)
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound.of("invoice")
    invoice, dispute_ended_on = row[0], row.dispute_ended_on
    stale = invoice.version != row.seen_version
    payments = await _payments(session, invoice_id, source) if stale or row.has_payments else ()
    if stale:
        dispute_ended_on = await session.scalar(select(dispute_end(invoice_id, arisen_by=remitted_on)))
    return Payable(invoice, payments, dispute_ended_on)


def _known_version(seen: Any) -> Any:
    return seen.version.label("seen_version")


def _of_invoice_or_source(invoice_id: UUID, source: tuple[str, str]) -> Any:
    system, reference = source
    of_source = and_(_C.source_reference == reference, _C.source_system == system)
    return or_(_C.invoice_id == invoice_id, of_source)


async def _payments(session: AsyncSession, invoice_id: UUID, source: tuple[str, str]) -> Sequence[Payment]:
    found = await session.execute(select(Payment).where(_of_invoice_or_source(invoice_id, source)))
    return found.scalars().all()
