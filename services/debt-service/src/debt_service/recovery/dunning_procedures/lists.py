"""What the list of dunning procedures is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from council_common.fields import Day, TextFilter
from council_common.web.lists import ResourceList, Where
from pydantic import Field
from sqlalchemy import ColumnElement, func

from debt_service.ledger.customers.rules import CustomerKind
from debt_service.recovery.dunning_procedures.tables import DunningProcedure

_C: Any = DunningProcedure.__table__.c  # type: ignore[attr-defined]


def _begun_by(day: date) -> ColumnElement[bool]:
    begun: ColumnElement[bool] = _C.effective_from <= day
    return begun


class ProcedureList(
    ResourceList,
    of=DunningProcedure,
    sorts=("effective_from",),
    default="effective_from",
    csv=(
        *("id", "name", "debt_type", "customer_kind", "effective_from"),
        func.jsonb_array_length(_C.levels).label("levels"),
        *("source", "created_by", "created_by_name", "created_at"),
    ),
):
    """Every version of every procedure that meets the conditions given."""

    name: TextFilter | None = None
    debt_type: TextFilter | None = None
    customer_kind: CustomerKind | None = None
    begun_by: Annotated[Day | None, Where(_begun_by), Field(description="Effective from this day or earlier.")] = None
