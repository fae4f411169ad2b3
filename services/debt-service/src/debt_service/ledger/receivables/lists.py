"""What the list of receivables is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Day, PenceFilter, TextFilter
from council_common.notes.lists import NoteFilter, noted
from council_common.web.lists import ResourceList, Where
from pydantic import Field
from sqlalchemy import ColumnElement, and_, select
from sqlmodel import col

from debt_service.ledger.customers.tables import Customer
from debt_service.ledger.receivables.rules import ReceivableStatus
from debt_service.ledger.receivables.tables import Receivable

_C: Any = Receivable.__table__.c  # type: ignore[attr-defined]
CUSTOMER_NAME = select(col(Customer.name)).where(col(Customer.id) == _C.customer_id).scalar_subquery()


def _overdue_as_at(day: date) -> ColumnElement[bool]:
    return and_(_C.outstanding_pence > 0, _C.due_on < day)


class ReceivableList(
    ResourceList,
    of=Receivable,
    sorts=("due_on", "outstanding_pence"),
    default="due_on",
    csv=(
        *("id", "number", "source_system", "source_reference", "customer_id"),
        CUSTOMER_NAME.label("customer_name"),
        *("department", "debt_type", "issued_on", "due_on", "net_pence", "vat_pence", "gross_pence"),
        *("outstanding_pence", "status", "overdue_on", "settled_on", "dunning_level", "last_notice_on"),
        *("last_notice_sent_on", "on_hold"),
    ),
):
    """Receivables that meet every condition given; `_from` and `_to` are inclusive."""

    customer_id: UUID | None = None
    number: TextFilter | None = None
    source_system: TextFilter | None = None
    source_reference: TextFilter | None = None
    status: ReceivableStatus | None = None
    department: TextFilter | None = None
    debt_type: TextFilter | None = None
    issued_from: Day | None = None
    issued_to: Day | None = None
    due_from: Day | None = None
    due_to: Day | None = None
    settled_from: Day | None = None
    settled_to: Day | None = None
    replaces_id: Annotated[UUID | None, Field(description="Raised in place of this charge.")] = None
    outstanding_pence_from: PenceFilter | None = None
    outstanding_pence_to: PenceFilter | None = None
    dunning_level: Annotated[int | None, Field(ge=0, le=20, description="The last notice's level; 0 for none.")] = None
    on_hold: bool | None = None
    overdue_as_at: Annotated[
        Day | None, Where(_overdue_as_at), Field(description="Still owed, and due before this day.")
    ] = None
    note: Annotated[NoteFilter | None, noted("receivable", _C.id)] = None
