"""What the list of variances is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from uuid import UUID

from council_common.fields import Day, PenceFilter, TextFilter
from council_common.web.csv_export import NameBeside
from council_common.web.lists import ResourceList

from rebate_service.rebate_variances.rules import Resolution, VarianceStatus
from rebate_service.rebate_variances.tables import RebateVariance
from rebate_service.rebates.rules import VarianceCause


class VarianceList(
    ResourceList,
    of=RebateVariance,
    sorts=("found_at", "difference_pence"),
    default="-found_at",
    csv=(
        *("id", "rebate_id", "invoice_id", "invoice_number", "payment_id", "supplier_id", "earned_pence"),
        *("deducted_pence", "difference_pence", "cause", "owner", "status", "resolution", "note", "found_at"),
        *("resolved_at", "resolved_by_name"),
    ),
    names=(NameBeside("supplier_id", "supplier", "/v1/suppliers"),),
):
    """Variances that meet every condition given, newest first; `_from` and `_to` are inclusive."""

    supplier_id: UUID | None = None
    rebate_id: UUID | None = None
    invoice_id: UUID | None = None
    invoice_number: TextFilter | None = None
    payment_id: UUID | None = None
    cause: VarianceCause | None = None
    status: VarianceStatus | None = None
    resolution: Resolution | None = None
    found_from: Day | None = None
    found_to: Day | None = None
    difference_pence_from: PenceFilter | None = None
    difference_pence_to: PenceFilter | None = None
