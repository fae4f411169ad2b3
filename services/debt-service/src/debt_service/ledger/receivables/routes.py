"""Receivables over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.rows import get_row
from council_common.notes.routes import note_routes
from council_common.service.api import BULK_BODY_LIMIT, resource_router
from council_common.web.acts import Act, acting
from council_common.web.bulk import BulkOut, read_items
from council_common.web.resource_routes import reading_routes

from debt_service.ledger.receivables.lists import ReceivableList
from debt_service.ledger.receivables.schemas import (
    CancellationIn,
    CreditIn,
    OverdueMarkingIn,
    OverdueMarkingOut,
    ReceivableIn,
    ReceivableOut,
    ReceivablesIn,
)
from debt_service.ledger.receivables.tables import Receivable
from debt_service.ledger.receivables.usecases import credit_receivable, mark_overdue, raise_receivables

router = resource_router("receivables")


@router.post("", status_code=201, responses={200: {"model": ReceivableOut}})
async def raise_one(receivable: ReceivableIn, act: Annotated[Act, acting("debts:write")]) -> ReceivableOut:
    """Charge a customer; 200 with what is there when the source reference is known with the same content."""
    await act.sources.may_use(receivable.source.system)
    [outcome] = await raise_receivables(act.session, [(0, receivable.as_new())], by=act.by, at=act.at)
    raised = await get_row(act.session, Receivable, outcome.id_or_refusal())
    act.answers(f"{router.prefix}/{raised.id}", raised.version, new=outcome.result == "created")
    return ReceivableOut.of(raised)


@router.post("/bulk", max_body_size=BULK_BODY_LIMIT)
async def raise_many(receivables: ReceivablesIn, act: Annotated[Act, acting("debts:write")]) -> BulkOut:
    """Charge customers, up to 5,000 items; each item has its own verdict."""
    good, bad = read_items(ReceivableIn, receivables.items)
    own, others = await act.sources.own(good)
    new = [(index, receivable.as_new()) for index, receivable in own]
    return BulkOut.of([*await raise_receivables(act.session, new, by=act.by, at=act.at), *others, *bad])


@router.post("/overdue-markings")
async def mark(marking: OverdueMarkingIn, act: Annotated[Act, acting("debts:write")]) -> OverdueMarkingOut:
    """Mark what was due before a day and is still owed; the daily job does the same for today."""
    marked = await mark_overdue(act.session, as_at=marking.as_at, by=act.by, at=act.at)
    return OverdueMarkingOut(as_at=marking.as_at, marked=marked)


reading_routes(router, ReceivableList, ReceivableOut, of=Receivable, scope="debts:read")
note_routes(router, of=Receivable, read="debts:read", write="debts:write")


@router.post("/{receivable_id}/cancellations", status_code=201)
async def cancel(
    receivable_id: UUID, cancellation: CancellationIn, act: Annotated[Act, acting("debts:write")]
) -> ReceivableOut:
    """Cancel what is outstanding by a credit note, VAT in proportion."""
    return await _credit(act, receivable_id, None, cancellation)


@router.post("/{receivable_id}/credits", status_code=201)
async def credit(
    receivable_id: UUID, credit_note: CreditIn, act: Annotated[Act, acting("debts:write")]
) -> ReceivableOut:
    """Credit a part of what is outstanding, VAT in proportion; the rest stays owed. All of it is a cancellation."""
    return await _credit(act, receivable_id, credit_note.amount_pence, credit_note)


async def _credit(act: Act, receivable_id: UUID, pence: int | None, why: CancellationIn | CreditIn) -> ReceivableOut:
    receivable = await credit_receivable(
        act.session, receivable_id, pence=pence, reason=why.reason, note=why.note, by=act.by, at=act.at
    )
    act.answers(f"{router.prefix}/{receivable.id}", receivable.version)
    return ReceivableOut.of(receivable)
