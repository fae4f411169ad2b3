"""The queries on single invoices and lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from council_common.web.pages import PageQuery, fetch_page
from sqlalchemy import ColumnElement, Date, Select, any_, cast, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.invoices.rules import ENDED, HoldReason, NoSuchHold, NoSuchInvoice
from invoice_service.register.invoices.tables import Invoice, InvoiceHold

_C: Any = Invoice.__table__.c  # type: ignore[attr-defined]
_H: Any = InvoiceHold.__table__.c  # type: ignore[attr-defined]

_ENDED = ", ".join(f"'{status}'" for status in ENDED)


def earlier_with_number(*, supplier_id: str, number_key: str, kind: str) -> str:
    """Rule D1 as SQL: the earliest invoice of a supplier, number and kind; the arguments are SQL themselves.

    One that was held as a duplicate counts as well: its hold may have been lifted, and the one it repeats cancelled.
    Source: payables.md §4.
    """
    return f"""
        SELECT earlier.id FROM invoice earlier
        WHERE earlier.number_key = {number_key} AND earlier.supplier_id = {supplier_id} AND earlier.kind = {kind}
            AND earlier.status NOT IN ({_ENDED})
        ORDER BY earlier.id LIMIT 1
    """


SORTABLE: dict[str, ColumnElement[Any]] = {
    "id": _C.id,
    "received_on": _C.received_on,
    "issued_on": _C.issued_on,
    "due_on": _C.due_on,
    "gross_pence": _C.gross_pence,
    "number": _C.number,
}


async def get_invoice(session: AsyncSession, invoice_id: UUID) -> Invoice:
    """One invoice. Raises NoSuchInvoice."""
    invoice = await session.get(Invoice, invoice_id)
    if invoice is None:
        raise NoSuchInvoice("There is no invoice with this id.")
    return invoice


async def lock_invoice(session: AsyncSession, invoice_id: UUID) -> Invoice:
    """One invoice that nobody else changes until we commit. Raises NoSuchInvoice."""
    found = await session.execute(
        select(Invoice)
        .where(_C.id == invoice_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    invoice = found.scalar_one_or_none()
    if invoice is None:
        raise NoSuchInvoice("There is no invoice with this id.")
    return invoice


async def holds_of(session: AsyncSession, invoice_id: UUID, *, open_only: bool = False) -> Sequence[InvoiceHold]:
    """An invoice's holds, oldest first."""
    statement = select(InvoiceHold).where(_H.invoice_id == invoice_id).order_by(_H.placed_at, _H.id).limit(1000)
    if open_only:
        statement = statement.where(_H.released_at.is_(None))
    return (await session.execute(statement)).scalars().all()


async def get_hold(session: AsyncSession, invoice_id: UUID, hold_id: UUID) -> InvoiceHold:
    """One hold of an invoice. Raises NoSuchHold."""
    hold = await session.get(InvoiceHold, hold_id)
    if hold is None or hold.invoice_id != invoice_id:
        raise NoSuchHold("The invoice has no hold with this id.")
    return hold


async def dispute_ended_on(session: AsyncSession, invoice_id: UUID, *, arisen_by: date) -> date | None:
    """The day on which the last dispute about an invoice ended, None when there was none.

    Only of disputes that had arisen by a day: one that began after the money was sent changes nothing about it.
    """
    arose_on = func.coalesce(_H.placed_on, cast(func.timezone("Europe/London", _H.placed_at), Date))
    found = await session.execute(
        select(func.max(_H.released_on)).where(
            _H.invoice_id == invoice_id, _H.reason == HoldReason.DISPUTE, arose_on <= arisen_by
        )
    )
    return found.scalar()


def matching(
    *,
    ranges: Sequence[tuple[str, date | int | None, date | int | None]],
    equal: dict[str, Any],
    number_keys: Sequence[str],
    department: str | None,
    held: bool | None,
    hold_reason: str | None,
) -> Select[Any]:
    """The invoices that fit every condition given; bounds are inclusive, None asks nothing."""
    conditions: list[Any] = [_C[name] == value for name, value in equal.items() if value is not None]
    for name, at_least, at_most in ranges:
        conditions += [_C[name] >= at_least] if at_least is not None else []
        conditions += [_C[name] <= at_most] if at_most is not None else []
    if number_keys:
        conditions.append(or_(*(_C.number_key == key for key in number_keys)))
    if department is not None:
        conditions.append(_C.lines.contains([{"department": department}]))
    if held is not None:
        conditions.append(_C.status == "held" if held else _C.status != "held")
    if hold_reason is not None:
        conditions.append(literal(hold_reason) == any_(_C.hold_reasons))
    return select(Invoice).where(*conditions)


async def list_invoices(
    session: AsyncSession, statement: Select[Any], page: PageQuery
) -> tuple[Sequence[Invoice], str | None]:
    """One page of invoices."""
    return await fetch_page(session, statement, query=page, sortable=SORTABLE, default="-received_on", id_column=_C.id)
