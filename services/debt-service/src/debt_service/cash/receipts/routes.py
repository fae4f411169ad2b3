"""/v1/receipts."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import BULK_BODY_LIMIT, resource_router
from council_common.web.dependencies import Now, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery, fetch_page
from fastapi import Depends, Response
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.bulk import BulkIn, BulkOut, read_lines
from debt_service.cash.receipts import store
from debt_service.cash.receipts.rules import ReceiptStatus
from debt_service.cash.receipts.schemas import AllocationsIn, ReceiptIn, ReceiptOut, ReversalIn
from debt_service.cash.receipts.tables import Receipt
from debt_service.cash.receipts.usecases import allocate_by_hand, record_receipts, reverse_receipt
from debt_service.fields import Day

router = resource_router("receipts")


async def _receipt_out(session: AsyncSession, receipt_id: UUID) -> ReceiptOut:
    receipt = await store.get_receipt(session, receipt_id)
    return ReceiptOut.of(receipt, (await store.allocations_of(session, [receipt_id]))[receipt_id])


@router.post("", status_code=201, dependencies=[Idempotent], responses={200: {"model": ReceiptOut}})
async def record(
    receipt: ReceiptIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("receipts:write")],
) -> ReceiptOut:
    """Record money received and set it against debts; 200 with what is there when it is known already."""
    [outcome] = await record_receipts(session, [(1, receipt.as_new())], by=by, at=now)
    receipt_id = outcome.raise_if_refused()
    response.status_code = 201 if outcome.result == "created" else 200
    return await _receipt_out(session, receipt_id)


@router.post("/bulk", dependencies=[Idempotent], max_body_size=BULK_BODY_LIMIT)
async def record_many(
    body: BulkIn, session: SessionDep, now: Now, by: Annotated[Actor, requires("receipts:write")]
) -> BulkOut:
    """Record up to 5,000 receipts, in their order; each line has its own outcome."""
    good, bad = read_lines(ReceiptIn, body.items)
    outcomes = await record_receipts(session, [(line, receipt.as_new()) for line, receipt in good], by=by, at=now)
    return BulkOut.of([*outcomes, *bad])


@router.get("")
async def list_receipts(
    *,
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("receipts:read")],
    customer_id: UUID | None = None,
    receivable_id: UUID | None = None,
    status: ReceiptStatus | None = None,
    received_from: Day | None = None,
    received_to: Day | None = None,
    unallocated: bool | None = None,
) -> Page[ReceiptOut]:
    """Receipts with their allocations, filtered and sorted."""
    receipts, cursor = await fetch_page(
        session,
        store.receipts_where(
            customer_id=customer_id,
            receivable_id=receivable_id,
            status=status,
            received_from=received_from,
            received_to=received_to,
            unallocated=unallocated,
        ),
        query=page,
        sortable={"received_on": Receipt.received_on, "amount_pence": Receipt.amount_pence},
        default="received_on",
        id_column=Receipt.id,
    )
    allocations = await store.allocations_of(session, [receipt.id for receipt in receipts])
    return Page(items=[ReceiptOut.of(receipt, allocations[receipt.id]) for receipt in receipts], next=cursor)


@router.get("/{receipt_id}")
async def get(receipt_id: UUID, session: SessionDep, _: Annotated[Actor, requires("receipts:read")]) -> ReceiptOut:
    """One receipt with its allocations."""
    return await _receipt_out(session, receipt_id)


@router.get("/{receipt_id}/history")
async def history(
    receipt_id: UUID, session: SessionDep, _: Annotated[Actor, requires("receipts:read")]
) -> list[ChangeOut]:
    """Every change of a receipt: who, when and why."""
    await store.get_receipt(session, receipt_id)
    return await history_of(session, receipt_id)


@router.post("/{receipt_id}/allocations", status_code=201, dependencies=[Idempotent])
async def allocate(
    receipt_id: UUID,
    body: AllocationsIn,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("receipts:write")],
) -> ReceiptOut:
    """Set what is left of a receipt against receivables, by hand."""
    requests = [allocation.as_request() for allocation in body.allocations]
    await allocate_by_hand(session, receipt_id, requests, by=by, at=now)
    return await _receipt_out(session, receipt_id)


@router.post("/{receipt_id}/reversals", status_code=201, dependencies=[Idempotent])
async def reverse(
    receipt_id: UUID,
    reversal: ReversalIn,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("receipts:write")],
) -> ReceiptOut:
    """The money went back to the payer's bank: what it paid is owed again."""
    await reverse_receipt(session, receipt_id, reversed_on=reversal.reversed_on, reason=reversal.reason, by=by, at=now)
    return await _receipt_out(session, receipt_id)
