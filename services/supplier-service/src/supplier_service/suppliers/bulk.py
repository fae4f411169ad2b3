"""Many suppliers in one request: read item by item, registered in one step, answered item by item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from council_common.errors import FieldError
from council_common.identity.actor import Actor
from council_common.web.problems import ProblemFieldOut
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.fields import RequestModel, field_errors
from supplier_service.suppliers.registration import Registration, register_suppliers
from supplier_service.suppliers.rules import NewSupplier
from supplier_service.suppliers.schemas import SupplierIn

BULK_ITEMS = 5000


class BulkIn(RequestModel):
    """Suppliers to register. An item that is wrong is refused alone, so items are read one by one."""

    items: Annotated[
        list[Any],
        Field(
            min_length=1,
            max_length=BULK_ITEMS,
            json_schema_extra={"items": {"$ref": "#/components/schemas/SupplierIn"}},
        ),
    ]


class BulkItemOut(BaseModel):
    """What became of one item: `index` counts from 0; `errors` say what was wrong with a refused one."""

    index: int
    outcome: Literal["created", "existing", "refused"]
    id: UUID | None = None
    errors: list[ProblemFieldOut] | None = None


class BulkOut(BaseModel):
    """What became of all: `received` = `created` + `existing` + `refused`."""

    received: int
    created: int
    existing: int
    refused: int
    items: list[BulkItemOut]


async def register_bulk(session: AsyncSession, items: Sequence[Any], *, by: Actor, at: datetime) -> BulkOut:
    """Register the good items; the others come back with index, field, problem and what would be right."""
    suppliers: dict[int, NewSupplier] = {}
    answers: dict[int, BulkItemOut] = {}
    for index, item in enumerate(items):
        try:
            suppliers[index] = SupplierIn.model_validate(item).new_supplier()
        except ValidationError as refusal:
            answers[index] = _refused(index, field_errors(refusal))
    registrations = await register_suppliers(session, list(suppliers.values()), by=by, at=at)
    for index, registration in zip(suppliers, registrations, strict=True):
        answers[index] = _answer(index, registration)
    counts = Counter(answer.outcome for answer in answers.values())
    return BulkOut(
        received=len(items),
        created=counts["created"],
        existing=counts["existing"],
        refused=counts["refused"],
        items=[answers[index] for index in range(len(items))],
    )


def _answer(index: int, registration: Registration) -> BulkItemOut:
    if registration.outcome == "refused":
        return _refused(index, registration.errors)
    return BulkItemOut(index=index, outcome=registration.outcome, id=registration.supplier_id)


def _refused(index: int, errors: Sequence[FieldError]) -> BulkItemOut:
    shown = [ProblemFieldOut(field=error.field, problem=error.problem, expected=error.expected) for error in errors]
    return BulkItemOut(index=index, outcome="refused", errors=shown)
