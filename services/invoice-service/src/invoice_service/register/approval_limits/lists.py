"""What the list of approval limits is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from council_common.fields import Code, Day
from council_common.web.lists import ResourceList, Where
from sqlalchemy import ColumnElement, and_, or_

from invoice_service.register.approval_limits.tables import ApprovalLimit

_C: Any = ApprovalLimit.__table__.c  # type: ignore[attr-defined]


def _in_force(day: date) -> ColumnElement[bool]:
    return and_(_C.effective_from <= day, or_(_C.effective_to.is_(None), _C.effective_to >= day))


class ApprovalLimitList(
    ResourceList,
    of=ApprovalLimit,
    sorts=("effective_from",),
    default="-effective_from",
    csv=(
        "id",
        "role",
        "department",
        "up_to_pence",
        "effective_from",
        "effective_to",
        "decided_by",
        "decided_by_name",
        "decided_at",
    ),
):
    """Approval limits that meet every condition given; `_from` and `_to` are inclusive."""

    role: Code | None = None
    department: Code | None = None
    effective_from_from: Day | None = None
    effective_from_to: Day | None = None
    in_force_on: Annotated[Day | None, Where(_in_force)] = None
