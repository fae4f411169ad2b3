"""What the list of payments is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from uuid import UUID

from council_common.fields import Day, TextFilter
from council_common.web.csv_export import NameBeside
from council_common.web.lists import ResourceList

from invoice_service.paying.payments.rules import PaymentMethod, PaymentStatus
from invoice_service.paying.payments.tables import Payment


class PaymentList(
    ResourceList,
    of=Payment,
    sorts=("remitted_on",),
    default="-remitted_on",
    csv=(
        *("id", "invoice_id", "supplier_id", "source_system", "source_reference", "remitted_on", "arrives_on"),
        *("paid_pence", "deducted_pence", "method", "reference", "status", "return_reason", "returned_on"),
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
