"""Receipts over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from council_common.database.rows import get_row
from council_common.service.api import BULK_BODY_LIMIT, resource_router
from council_common.web.acts import Act, acting
from council_common.web.bulk import BulkOut, read_items
from council_common.web.resource_routes import reading_routes
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.cash.receipts import store
from debt_service.cash.receipts.lists import ReceiptList
from debt_service.cash.receipts.reversing import reverse_allocation, reverse_receipt
from debt_service.cash.receipts.schemas import (
    AllocationReversalIn,
    AllocationsIn,
    ReceiptIn,
    ReceiptOut,
    ReceiptsIn,
    ReversalIn,
)
from debt_service.cash.receipts.tables import Receipt
from debt_service.cash.receipts.usecases import allocate_by_hand, record_receipts

router = resource_router("receipts")


@router.post("", status_code=201, responses={200: {"model": ReceiptOut}})
async def record(receipt: ReceiptIn, act: Annotated[Act, acting("receipts:write")]) -> ReceiptOut:
    """Record money received and set it against debts; 200 with what is there when it is known already."""
    await act.sources.may_use(receipt.source.system)
    [outcome] = await record_receipts(act.session, [(0, receipt.as_new())], by=act.by, at=act.at)
    recorded = await get_row(act.session, Receipt, outcome.id_or_refusal())
    return await _answer(act, recorded, new=outcome.result == "created")


@router.post("/bulk", max_body_size=BULK_BODY_LIMIT)
async def record_many(receipts: ReceiptsIn, act: Annotated[Act, acting("receipts:write")]) -> BulkOut:
    """Record up to 5,000 receipts, in their order; each item has its own verdict."""
    good, bad = read_items(ReceiptIn, receipts.items)
    own, others = await act.sources.own(good)
    new = [(index, receipt.as_new()) for index, receipt in own]
    return BulkOut.of([*await record_receipts(act.session, new, by=act.by, at=act.at), *others, *bad])


async def _with_allocations(session: AsyncSession, receipts: Sequence[Any]) -> list[ReceiptOut]:
    allocations = await store.allocations_of(session, [receipt.id for receipt in receipts])
    return [ReceiptOut.of(receipt, allocations[receipt.id]) for receipt in receipts]


reading_routes(router, ReceiptList, ReceiptOut, of=Receipt, scope="receipts:read", show=_with_allocations)


@router.post("/{receipt_id}/allocations", status_code=201)
async def allocate(receipt_id: UUID, body: AllocationsIn, act: Annotated[Act, acting("receipts:write")]) -> ReceiptOut:
    """Set what is left of a receipt against receivables, by hand."""
    requests = [allocation.as_request() for allocation in body.allocations]
    return await _answer(
        act, await allocate_by_hand(act.session, receipt_id, requests, note=body.note, by=act.by, at=act.at)
    )


@router.post(
    "/{receipt_id}/allocations/{allocation_id}/reversals", status_code=201, responses={200: {"model": ReceiptOut}}
)
async def reverse_one_allocation(
    receipt_id: UUID,
    allocation_id: UUID,
    reversal: AllocationReversalIn,
    act: Annotated[Act, acting("receipts:write")],
) -> ReceiptOut:
    """One allocation was wrong: it alone is reversed, and its money can be placed anew; 200 when it was before."""
    receipt, new = await reverse_allocation(
        act.session, receipt_id, allocation_id, reason=reversal.reason, note=reversal.note, by=act.by, at=act.at
    )
    return await _answer(act, receipt, new=new)


@router.post("/{receipt_id}/reversals", status_code=201, responses={200: {"model": ReceiptOut}})
async def reverse(receipt_id: UUID, reversal: ReversalIn, act: Annotated[Act, acting("receipts:write")]) -> ReceiptOut:
    """The money went back to the payer's bank: what it paid is owed again; 200 when this was recorded before."""
    receipt, new = await reverse_receipt(
        act.session,
        receipt_id,
        reversed_on=reversal.reversed_on,
        reason=reversal.reason,
        note=reversal.note,
        by=act.by,
        at=act.at,
    )
    return await _answer(act, receipt, new=new)


async def _answer(act: Act, receipt: Receipt, *, new: bool = True) -> ReceiptOut:
    act.answers(f"{router.prefix}/{receipt.id}", receipt.version, new=new)
    [shown] = await _with_allocations(act.session, [receipt])
    return shown
