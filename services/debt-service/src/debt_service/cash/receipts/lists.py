"""What the list of receipts is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Day, PenceFilter, TextFilter
from council_common.web.lists import ResourceList, Where
from pydantic import Field
from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlmodel import col

from debt_service.cash.receipts.rules import ReceiptMethod, ReceiptStatus, UnallocatedReason
from debt_service.cash.receipts.store import has_money_left
from debt_service.cash.receipts.tables import Allocation, Receipt
from debt_service.ledger.customers.tables import Customer

_C: Any = Receipt.__table__.c  # type: ignore[attr-defined]
_CUSTOMER_NAME = select(col(Customer.name)).where(col(Customer.id) == _C.customer_id).scalar_subquery()
_HAS_MONEY_LEFT = has_money_left()
_UNALLOCATED = case((_HAS_MONEY_LEFT, _C.amount_pence - _C.allocated_pence), else_=0)


def _pays(receivable_id: UUID) -> ColumnElement[bool]:
    allocated = select(col(Allocation.receipt_id)).where(col(Allocation.receivable_id) == receivable_id)
    pays: ColumnElement[bool] = _C.id.in_(allocated)
    return pays


def _is_unallocated(unallocated: bool) -> ColumnElement[bool]:
    return _HAS_MONEY_LEFT if unallocated else ~_HAS_MONEY_LEFT


def _waits_for(reason: UnallocatedReason) -> ColumnElement[bool]:
    return and_(_C.on_account_reason == reason, _HAS_MONEY_LEFT)


def _text_has(part: str) -> ColumnElement[bool]:
    """In what the payer wrote or the source calls it."""
    has_it: ColumnElement[bool] = or_(
        _C.payer_reference.icontains(part, autoescape=True), _C.source_reference.icontains(part, autoescape=True)
    )
    return has_it


def _payer_has(part: str) -> ColumnElement[bool]:
    named = select(col(Customer.id)).where(col(Customer.name).icontains(part, autoescape=True))
    payer: ColumnElement[bool] = _C.customer_id.in_(named)
    return payer


class ReceiptList(
    ResourceList,
    of=Receipt,
    sorts=("received_on",),
    default="received_on",
    csv=(
        *("id", "source_system", "source_reference", "received_on", "customer_id"),
        _CUSTOMER_NAME.label("customer_name"),
        *("amount_pence", "allocated_pence", _UNALLOCATED.label("unallocated_pence")),
        case((_HAS_MONEY_LEFT, _C.on_account_reason)).label("on_account_reason"),
        *("method", "payer_reference", "status", "reversed_on", "reversal_reason"),
    ),
):
    """Receipts that meet every condition given; `_from` and `_to` are inclusive."""

    customer_id: UUID | None = None
    receivable_id: Annotated[
        UUID | None, Where(_pays), Field(description="Set against this receivable, now or before a reversal.")
    ] = None
    source_system: TextFilter | None = None
    source_reference: TextFilter | None = None
    status: ReceiptStatus | None = None
    method: ReceiptMethod | None = None
    received_from: Day | None = None
    received_to: Day | None = None
    amount_pence: PenceFilter | None = None
    amount_pence_from: PenceFilter | None = None
    amount_pence_to: PenceFilter | None = None
    unallocated: Annotated[bool | None, Where(_is_unallocated), Field(description="Something of it is on account.")] = (
        None
    )
    on_account_reason: Annotated[UnallocatedReason | None, Where(_waits_for)] = None
    q: Annotated[
        TextFilter | None,
        Where(_text_has),
        Field(min_length=2, description="Part of what the payer wrote or of the source's reference, in any case."),
    ] = None
    payer: Annotated[
        TextFilter | None, Where(_payer_has), Field(min_length=2, description="Part of the payer's name, in any case.")
    ] = None
