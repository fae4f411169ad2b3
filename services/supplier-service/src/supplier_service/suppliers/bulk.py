"""Many suppliers in one request: read entry by entry, registered in one step, answered entry by entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from council_common.errors import FieldError
from council_common.identity.actor import Actor
from council_common.web.problems import ProblemFieldOut
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.fields import field_errors
from supplier_service.suppliers.registration import Registration, register_suppliers
from supplier_service.suppliers.rules import NewSupplier
from supplier_service.suppliers.schemas import BulkItemOut, BulkOut, SupplierIn


async def register_bulk(session: AsyncSession, items: Sequence[Any], *, by: Actor, at: datetime) -> BulkOut:
    """Register the good entries; the others come back with index, field, problem and what would be right."""
    told: dict[int, NewSupplier] = {}
    answers: dict[int, BulkItemOut] = {}
    for index, item in enumerate(items):
        try:
            told[index] = SupplierIn.model_validate(item).told()
        except ValidationError as refusal:
            answers[index] = _refused(index, field_errors(refusal))
    registrations = await register_suppliers(session, list(told.values()), by=by, at=at)
    for index, registration in zip(told, registrations, strict=True):
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
    told = [ProblemFieldOut(field=error.field, problem=error.problem, expected=error.expected) for error in errors]
    return BulkItemOut(index=index, outcome="refused", errors=told)
