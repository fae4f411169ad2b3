"""What the list of bank-account changes is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Day
from council_common.web.lists import ResourceList, Where
from pydantic import Field
from sqlalchemy import ColumnElement, select
from sqlmodel import col

from supplier_service.bank_account_changes.rules import OPEN, BankAccountChangeStatus, RequestedVia
from supplier_service.bank_account_changes.tables import BankAccountChange
from supplier_service.suppliers.tables import Supplier

_C: Any = BankAccountChange.__table__.c  # type: ignore[attr-defined]
_SUPPLIER_NAME = select(col(Supplier.name)).where(col(Supplier.id) == _C.supplier_id).scalar_subquery()


def _is_open(wanted: bool) -> ColumnElement[bool]:
    is_open: ColumnElement[bool] = _C.status.in_(sorted(OPEN))
    return is_open if wanted else ~is_open


class BankAccountChangeList(
    ResourceList,
    of=BankAccountChange,
    sorts=("requested_at",),
    default="-requested_at",
    csv=(
        *("id", "supplier_id", _SUPPLIER_NAME.label("supplier_name"), "status", "requested_via", "note"),
        *("requested_by", "requested_by_name", "requested_at", "account_name_matches", "name_changed_on"),
        *("approved_by", "approved_by_name", "approved_at", "cooling_off_until", "warned_otherwise"),
        *("rejected_by", "rejected_by_name", "rejected_at", "activated_at"),
    ),
):
    """Bank-account changes that meet every condition given. The CSV has no account."""

    supplier_id: UUID | None = None
    status: BankAccountChangeStatus | None = None
    requested_via: RequestedVia | None = None
    requested_from: Day | None = None
    requested_to: Day | None = None
    open: Annotated[bool | None, Where(_is_open), Field(description="Whether the change still holds payments.")] = None
