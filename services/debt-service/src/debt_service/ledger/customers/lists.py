"""What the list of customers is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from typing import Annotated, Any

from council_common.fields import Day, TextFilter
from council_common.notes.lists import NoteFilter, noted
from council_common.web.lists import ResourceList, Where
from pydantic import Field
from sqlalchemy import ColumnElement

from debt_service.ledger.customers.rules import Channel, CustomerKind
from debt_service.ledger.customers.tables import Customer

_C: Any = Customer.__table__.c  # type: ignore[attr-defined]


def _name_has(part: str) -> ColumnElement[bool]:
    has_it: ColumnElement[bool] = _C.name.icontains(part, autoescape=True)
    return has_it


class CustomerList(
    ResourceList,
    of=Customer,
    sorts=("name",),
    default="id",
    csv=(
        *("id", "source_system", "source_reference", "kind", "name", "preferred_channel", "language"),
        *("suppressed", "on_hold", "created_at"),
    ),
):
    """Customers that meet every condition given, in the order they were registered. The CSV has no addresses."""

    source_system: TextFilter | None = None
    source_reference: TextFilter | None = None
    kind: CustomerKind | None = None
    preferred_channel: Channel | None = None
    suppressed: bool | None = None
    on_hold: bool | None = None
    created_from: Day | None = None
    created_to: Day | None = None
    q: Annotated[
        TextFilter | None, Where(_name_has), Field(min_length=2, description="Part of the name, in any case.")
    ] = None
    note: Annotated[NoteFilter | None, noted("customer", _C.id)] = None
