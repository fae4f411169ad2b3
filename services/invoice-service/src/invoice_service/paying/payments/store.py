"""The queries on payments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from council_common.web.pages import PageQuery, fetch_page
from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.paying.payments.rules import NoSuchPayment
from invoice_service.paying.payments.tables import Payment

_C: Any = Payment.__table__.c  # type: ignore[attr-defined]

SORTABLE: dict[str, ColumnElement[Any]] = {
    "id": _C.id,
    "remitted_on": _C.remitted_on,
    "paid_pence": _C.paid_pence,
}


async def get_payment(session: AsyncSession, payment_id: UUID) -> Payment:
    """One payment. Raises NoSuchPayment."""
    payment = await session.get(Payment, payment_id)
    if payment is None:
        raise NoSuchPayment("There is no payment with this id.")
    return payment


async def reread(session: AsyncSession, payment: Payment) -> Payment:
    """The payment as it is now; its invoice is locked, and with it everything about it."""
    await session.refresh(payment)
    return payment


async def of_invoice_or_source(
    session: AsyncSession, invoice_id: UUID, system: str, reference: str
) -> Sequence[Payment]:
    """The payments of an invoice, and the one that a source system told under a reference, whosever it is."""
    of_source = and_(_C.source_reference == reference, _C.source_system == system)
    found = await session.execute(select(Payment).where(or_(_C.invoice_id == invoice_id, of_source)))
    return found.scalars().all()


async def insert_payment(session: AsyncSession, values: dict[str, Any]) -> Payment | None:
    """Store a payment; None when its source reference was taken a moment ago."""
    stored = await session.execute(insert(Payment).values(values).on_conflict_do_nothing().returning(Payment))
    return stored.scalar()


def matching(
    *,
    equal: dict[str, Any],
    remitted_from: date | None,
    remitted_to: date | None,
) -> Select[Any]:
    """The payments that fit every condition given; bounds are inclusive, None asks nothing."""
    conditions = [_C[name] == value for name, value in equal.items() if value is not None]
    conditions += [_C.remitted_on >= remitted_from] if remitted_from is not None else []
    conditions += [_C.remitted_on <= remitted_to] if remitted_to is not None else []
    return select(Payment).where(*conditions)


async def list_payments(
    session: AsyncSession, statement: Select[Any], page: PageQuery
) -> tuple[Sequence[Payment], str | None]:
    """One page of payments."""
    return await fetch_page(session, statement, query=page, sortable=SORTABLE, default="-remitted_on", id_column=_C.id)
