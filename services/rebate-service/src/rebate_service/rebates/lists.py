"""What the list of rebates is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Code, Day, PenceFilter, TextFilter
from council_common.web.csv_export import NameBeside
from council_common.web.lists import ResourceList, Where
from pydantic import Field
from sqlalchemy import ColumnElement, Date, Select, literal_column

from rebate_service.rebates.rules import RebateStatus
from rebate_service.rebates.tables import REMITTED_OR_LAST, TARGET_OR_LAST, Rebate

_C: Any = Rebate.__table__.c  # type: ignore[attr-defined]


def _has_variance(wanted: bool) -> ColumnElement[bool]:
    differs: ColumnElement[bool] = _C.variance_pence != 0
    return differs if wanted else ~differs


class RebateList(
    ResourceList,
    of=Rebate,
    sorts={
        "remitted_on": literal_column(REMITTED_OR_LAST, Date),
        "target_on": literal_column(TARGET_OR_LAST, Date),
        "expected_pence": _C.expected_pence,
    },
    default="-id",
    csv=(
        *("id", "invoice_id", "invoice_number", "payment_id", "supplier_id", "agreement_id", "agreement_version"),
        *("status", "cause", "received_on", "remitted_on", "target_on", "elapsed_days", "accelerated_days"),
        *("rate_percent", "base_pence", "rebate_net_pence", "rebate_vat_pence", "rebate_pence", "expected_pence"),
        *("deducted_pence", "variance_pence", "department"),
    ),
    names=(NameBeside("supplier_id", "supplier", "/v1/suppliers"),),
):
    """Rebates that meet every condition given, newest first; `_from` and `_to` are inclusive.

    Without a status, ids or a variance those outside any agreement are left out. Sorted by `remitted_on`, what is not
    paid comes last. `status=expected&sort=target_on` is what is to be paid next,
    `sort=-expected_pence` what is worth most.
    """

    supplier_id: UUID | None = None
    invoice_id: UUID | None = None
    invoice_number: TextFilter | None = None
    payment_id: UUID | None = None
    status: RebateStatus | None = None
    received_from: Day | None = None
    received_to: Day | None = None
    remitted_from: Day | None = None
    remitted_to: Day | None = None
    target_from: Day | None = None
    target_to: Day | None = None
    expected_pence_from: PenceFilter | None = None
    expected_pence_to: PenceFilter | None = None
    department: Code | None = None
    has_variance: Annotated[bool | None, Where(_has_variance), Field(description="Deducted otherwise than earned.")] = (
        None
    )

    def narrow(self, statement: Select[Any]) -> Select[Any]:
        """The statement with every filter that was given."""
        statement = super().narrow(statement)
        if self.status is None and self.ids is None and not self.has_variance:
            statement = statement.where(_C.agreement_id.is_not(None))
        return statement
