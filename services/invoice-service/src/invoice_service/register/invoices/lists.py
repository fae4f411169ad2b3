"""What the list of invoices is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Day, PenceFilter, TextFilter
from council_common.notes.lists import NoteFilter, noted
from council_common.web.csv_export import NameBeside
from council_common.web.lists import ResourceList, Where
from pydantic import Field
from sqlalchemy import BigInteger, ColumnElement, and_, any_, case, literal, or_

from invoice_service.register.invoices.rules import (
    ENDED,
    HoldReason,
    InvoiceFlag,
    InvoiceKind,
    InvoiceStatus,
    normalised_number,
    transaction_key,
)
from invoice_service.register.invoices.tables import Invoice

_C: Any = Invoice.__table__.c  # type: ignore[attr-defined]

_OUTSTANDING: ColumnElement[int] = case(
    (_C.status.in_(ENDED), literal(0, BigInteger)),
    else_=_C.gross_pence - _C.paid_pence - _C.deducted_pence - _C.credited_pence,
)
"""What is left to pay (below zero: to get back); nothing of one that ended. As `Invoice.outstanding_pence`."""


def _is_open(wanted: bool) -> ColumnElement[bool]:
    # An invoice of zero is open until it is approved.
    settled = and_(_OUTSTANDING == 0, or_(_C.gross_pence != 0, _C.status.in_((*ENDED, InvoiceStatus.PAID))))
    return ~settled if wanted else settled


def _has_number(number: str) -> ColumnElement[bool]:
    """A supplier's number however it is spelled, a payer's transaction number in capitals or not."""
    key = normalised_number(number)
    return or_(_C.number_key == key, _C.number_key == transaction_key(number), _C.invoice_number_key == key)


def _of_department(department: str) -> ColumnElement[bool]:
    has_line: ColumnElement[bool] = _C.lines.contains([{"department": department}])
    return has_line


def _is_held(held: bool) -> ColumnElement[bool]:
    is_held: ColumnElement[bool] = _C.status == InvoiceStatus.HELD
    return is_held if held else ~is_held


def _held_for(reason: HoldReason) -> ColumnElement[bool]:
    return literal(reason.value) == any_(_C.hold_reasons)


def _has_flag(flag: InvoiceFlag) -> ColumnElement[bool]:
    conditions: dict[InvoiceFlag, ColumnElement[bool]] = {
        InvoiceFlag.DATED_AFTER_RECEIPT: _C.issued_on > _C.received_on,
        InvoiceFlag.AMOUNTS_DISAGREE: _C.amounts_disagree,
        InvoiceFlag.VAT_DERIVED: _C.vat_derived,
        InvoiceFlag.DUPLICATE_SUSPECTED: _C.duplicate_of.is_not(None),
    }
    return conditions[flag]


class InvoiceList(
    ResourceList,
    of=Invoice,
    sorts=("received_on", "due_on"),
    default="-received_on",
    csv=(
        *("id", "kind", "supplier_id", "source_system", "source_reference", "number", "purchase_order_number"),
        *("issued_on", "received_on", "due_on", "net_pence", "vat_pence", "gross_pence", "paid_pence"),
        *("deducted_pence", "credited_pence", _OUTSTANDING.label("outstanding_pence"), "status", "hold_reasons"),
        *("received_by_name", "approved_by_name", "approved_at", "paid_on", "historic", "import_id", "line_number"),
    ),
    names=(NameBeside("supplier_id", "supplier", "/v1/suppliers"),),
):
    """Invoices and credit notes that meet every condition given; `_from` and `_to` are inclusive.

    A supplier's number is found however it is spelled, a payer's transaction number in capitals or not.
    """

    supplier_id: UUID | None = None
    status: InvoiceStatus | None = None
    kind: InvoiceKind | None = None
    number: Annotated[TextFilter | None, Where(_has_number)] = None
    purchase_order_number: TextFilter | None = None
    source_system: TextFilter | None = None
    source_reference: TextFilter | None = None
    department: Annotated[TextFilter | None, Where(_of_department)] = None
    received_from: Day | None = None
    received_to: Day | None = None
    due_from: Day | None = None
    due_to: Day | None = None
    paid_from: Day | None = None
    paid_to: Day | None = None
    gross_pence_from: PenceFilter | None = None
    gross_pence_to: PenceFilter | None = None
    held: Annotated[bool | None, Where(_is_held)] = None
    hold_reason: Annotated[HoldReason | None, Where(_held_for)] = None
    flag: Annotated[InvoiceFlag | None, Where(_has_flag)] = None
    import_id: UUID | None = None
    historic: bool | None = None
    open: Annotated[bool | None, Where(_is_open), Field(description="Something is left to pay, or to get back.")] = None
    note: Annotated[NoteFilter | None, noted("invoice", _C.id)] = None
