"""What the list of holds is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Day, TextFilter
from council_common.web.lists import ResourceList, Where
from pydantic import Field
from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlmodel import col

from debt_service.arrangements.holds.rules import OF_HEALTH, HoldReason
from debt_service.arrangements.holds.tables import HOLDS_ALL, Hold
from debt_service.ledger.customers.tables import Customer
from debt_service.ledger.receivables.tables import Receivable

_C: Any = Hold.__table__.c  # type: ignore[attr-defined]
_CUSTOMER_NAME = select(col(Customer.name)).where(col(Customer.id) == _C.customer_id).scalar_subquery()
_OF_HEALTH = _C.reason.in_(sorted(OF_HEALTH))
_NOTE, _RELEASE_NOTE = (case((_OF_HEALTH, None), else_=column) for column in (_C.note, _C.release_note))
_NUMBER = select(col(Receivable.number)).where(col(Receivable.id) == _C.receivable_id).scalar_subquery()


def _reaches(receivable_id: UUID) -> ColumnElement[bool]:
    """A receivable's holds include those on all of its customer."""
    customer = select(col(Receivable.customer_id)).where(col(Receivable.id) == receivable_id).scalar_subquery()
    return or_(_C.receivable_id == receivable_id, and_(HOLDS_ALL, _C.customer_id == customer))


def _is_released(released: bool) -> ColumnElement[bool]:
    is_open: ColumnElement[bool] = _C.released_at.is_(None)
    return ~is_open if released else is_open


class HoldList(
    ResourceList,
    of=Hold,
    sorts=("review_on",),
    default="review_on",
    csv=(
        *("id", "customer_id", _CUSTOMER_NAME.label("customer_name"), "receivable_id", _NUMBER.label("number")),
        *("reason", _NOTE.label("note"), "owner", "placed_on", "review_on", "ends_on"),
        *("placed_by", "placed_by_name", "placed_at", "released_at", "released_by", "released_by_name"),
        *("release_reason", _RELEASE_NOTE.label("release_note")),
    ),
):
    """Holds that meet every condition given, the next to be reviewed first; `_from` and `_to` are inclusive."""

    customer_id: UUID | None = None
    receivable_id: Annotated[
        UUID | None, Where(_reaches), Field(description="On this receivable, or on all of its customer.")
    ] = None
    reason: HoldReason | None = None
    owner: TextFilter | None = None
    released: Annotated[bool | None, Where(_is_released)] = None
    review_from: Day | None = None
    review_to: Day | None = None
    ends_from: Day | None = None
    ends_to: Day | None = None
