"""What the list of payment exceptions is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Day, PenceFilter
from council_common.web.csv_export import NameBeside
from council_common.web.lists import ResourceList, Where
from sqlalchemy import ColumnElement

from invoice_service.paying.payment_exceptions.rules import ExceptionKind, ExceptionStatus, Resolution
from invoice_service.paying.payment_exceptions.tables import PaymentException

_C: Any = PaymentException.__table__.c  # type: ignore[attr-defined]


def _has_money(wanted: bool) -> ColumnElement[bool]:
    has_money: ColumnElement[bool] = _C.recover_pence > 0
    return has_money if wanted else ~has_money


class PaymentExceptionList(
    ResourceList,
    of=PaymentException,
    sorts=("found_at", "recover_pence"),
    default="-found_at",
    csv=(
        *("id", "payment_id", "invoice_id", "invoice_number", "supplier_id", "kind", "recover_pence", "hold_reasons"),
        *("remitted_on", "status", "resolution", "note", "found_at", "resolved_at", "resolved_by_name"),
        *("customer_id", "receivable_id"),
    ),
    names=(NameBeside("supplier_id", "supplier", "/v1/suppliers"),),
):
    """Payment exceptions that meet every condition given, newest first; `_from` and `_to` are inclusive.

    `status=open` with `to_recover=true` is the money that suppliers hold and should give back.
    """

    supplier_id: UUID | None = None
    invoice_id: UUID | None = None
    payment_id: UUID | None = None
    kind: ExceptionKind | None = None
    status: ExceptionStatus | None = None
    resolution: Resolution | None = None
    receivable_id: UUID | None = None
    to_recover: Annotated[bool | None, Where(_has_money)] = None
    found_from: Day | None = None
    found_to: Day | None = None
    remitted_from: Day | None = None
    remitted_to: Day | None = None
    recover_pence_from: PenceFilter | None = None
    recover_pence_to: PenceFilter | None = None
