"""What the list of payments is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Day, TextFilter
from council_common.web.csv_export import NameBeside
from council_common.web.lists import ResourceList, Where
from sqlalchemy import ColumnElement, any_, func, literal

from invoice_service.paying.payment_exceptions.rules import ExceptionKind
from invoice_service.paying.payments.rules import PaymentMethod, PaymentStatus
from invoice_service.paying.payments.tables import Payment

_C: Any = Payment.__table__.c  # type: ignore[attr-defined]


def _has_exception(kind: ExceptionKind) -> ColumnElement[bool]:
    return literal(kind.value) == any_(_C.exceptions)


def _has_exceptions(wanted: bool) -> ColumnElement[bool]:
    broke_a_rule: ColumnElement[bool] = func.cardinality(_C.exceptions) > 0
    return broke_a_rule if wanted else ~broke_a_rule


class PaymentList(
    ResourceList,
    of=Payment,
    sorts=("remitted_on",),
    default="-remitted_on",
    csv=(
        *("id", "invoice_id", "supplier_id", "source_system", "source_reference", "remitted_on", "arrives_on"),
        *("paid_pence", "deducted_pence", "overpaid_pence", "method", "reference", "exceptions", "status"),
        *("return_reason", "returned_on"),
    ),
    names=(NameBeside("supplier_id", "supplier", "/v1/suppliers"),),
):
    """Payments that meet every condition given; `_from` and `_to` are inclusive."""

    invoice_id: UUID | None = None
    supplier_id: UUID | None = None
    status: PaymentStatus | None = None
    method: PaymentMethod | None = None
    source_system: TextFilter | None = None
    source_reference: TextFilter | None = None
    remitted_from: Day | None = None
    remitted_to: Day | None = None
    exception: Annotated[ExceptionKind | None, Where(_has_exception)] = None
    has_exceptions: Annotated[bool | None, Where(_has_exceptions)] = None
