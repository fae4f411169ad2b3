"""Recording money received, and allocating it by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from council_common.clock import london_date
from council_common.database.many_rows import rows_by_source
from council_common.database.rows import get_row, lock_row
from council_common.errors import (
    BusinessError,
    DateInFuture,
    IllegalMove,
    SourceReferenceTaken,
)
from council_common.identity.actor import Actor
from council_common.observability.logs import get_logger
from council_common.recording import Change, record_many
from council_common.web.bulk import Outcome, refused
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.cash.receipts import store
from debt_service.cash.receipts.allocating import (
    OpenItems,
    lock_open_items_of,
    lock_requested,
    place,
    post_lines,
    record_allocations,
)
from debt_service.cash.receipts.rules import (
    AllocationBasis,
    AllocationLine,
    AllocationRequest,
    NewReceipt,
    ReceiptStatus,
    UnallocatedReason,
    check_requests,
)
from debt_service.cash.receipts.tables import Receipt
from debt_service.ledger.customers.rules import unknown_customer
from debt_service.ledger.customers.store import lock_customers_for_share
from debt_service.ledger.journal.rules import Fact, entry, received_lines
from debt_service.ledger.journal.store import post_entries
from debt_service.source_content import content_hash

log = get_logger()

IndexedReceipts = Sequence[tuple[int, NewReceipt]]


async def record_receipts(session: AsyncSession, items: IndexedReceipts, *, by: Actor, at: datetime) -> list[Outcome]:
    """Record money received and set it against open items; each item has its own outcome.

    An item whose allocations a rule refuses is refused whole: nothing of it is kept.
    """
    items, outcomes = await _acceptable(session, items, today=london_date(at))
    if not items:
        return outcomes
    by_key = {(new.source_system, new.source_reference): (index, new) for index, new in reversed(items)}
    # Every request adds in one order: two with the same receipts wait for one another, never in a ring.
    added = await store.insert_receipts(session, [by_key[key][1] for key in sorted(by_key)], at=at)
    columns = Receipt.__table__.c  # type: ignore[attr-defined]
    known = await rows_by_source(session, Receipt, by_key, columns.id, columns.content_hash)
    added_items = {by_key[key][0] for key in added}
    open_items = await lock_open_items_of(session, [by_key[key][1] for key in added], today=london_date(at))
    # Money is set against open items in the order of the request, whatever order the rows were added in.
    in_order = sorted(((added[key], *by_key[key]) for key in added), key=lambda receipt: receipt[1])
    refusals = await _allocate(session, in_order, open_items, by=by, at=at)
    for index, new in items:
        receipt = known[new.source_system, new.source_reference]
        if receipt.id in refusals:
            # Also for an item that repeats a refused one: nothing of it is kept.
            outcomes.append(refused(index, refusals[receipt.id]))
        elif index in added_items:
            outcomes.append(Outcome(index, "created", receipt.id))
        elif content_hash(new) == receipt.content_hash:
            outcomes.append(Outcome(index, "existing", receipt.id))
        else:
            outcomes.append(refused(index, SourceReferenceTaken("receipt", record_id=receipt.id)))
    return outcomes


async def _acceptable(
    session: AsyncSession, items: IndexedReceipts, *, today: date
) -> tuple[IndexedReceipts, list[Outcome]]:
    named = [new.customer_id for _, new in items if new.customer_id is not None]
    customers = await lock_customers_for_share(session, named)
    good: list[tuple[int, NewReceipt]] = []
    bad: list[Outcome] = []
    for index, new in items:
        if new.received_on > today:
            bad.append(refused(index, DateInFuture("received_on", today=today)))
        elif new.customer_id is not None and new.customer_id not in customers:
            bad.append(refused(index, unknown_customer("customer_id")))
        else:
            good.append((index, new))
    return good, bad


async def _allocate(
    session: AsyncSession,
    added: Sequence[tuple[UUID, int, NewReceipt]],
    open_items: OpenItems,
    *,
    by: Actor,
    at: datetime,
) -> dict[UUID, BusinessError]:
    """Set new receipts against open items and put both on the books; returns the refused ones, removed again."""
    refusals: dict[UUID, BusinessError] = {}
    customers: dict[UUID, UUID] = {}
    reasons: dict[UUID, UnallocatedReason] = {}
    posted, entries = [], []
    for receipt_id, _, new in added:
        try:
            plan = open_items.plan(new)
        except BusinessError as refusal:
            refusals[receipt_id] = refusal
            continue
        payer_id, on = plan.customer_id, new.received_on
        if payer_id is not None and new.customer_id is None:
            customers[receipt_id] = payer_id
        if sum(line.amount_pence for line in plan.lines) < new.amount_pence:
            reasons[receipt_id] = plan.unallocated_reason
        lines = received_lines(amount_pence=new.amount_pence, customer_id=payer_id, receipt_id=receipt_id)
        entries.append(entry(Fact.RECEIPT_RECEIVED, receipt_id, on, lines))
        posted += post_lines(plan.lines, receipt_id=receipt_id, payer_id=payer_id, received_on=on, on=on)
    await store.remove_receipts(session, list(refusals))
    await store.name_customers(session, customers)
    await store.note_unallocated_reasons(session, reasons)
    kept = (Change("receipt", receipt_id, 1, "received") for receipt_id, _, _ in added if receipt_id not in refusals)
    await record_many(session, kept, by=by, at=at)
    entries += await record_allocations(session, posted, by=by, at=at)
    await post_entries(session, entries, by=by, at=at)
    return refusals


async def allocate_by_hand(
    session: AsyncSession,
    receipt_id: UUID,
    requests: Sequence[AllocationRequest],
    *,
    note: str | None,
    by: Actor,
    at: datetime,
) -> Receipt:
    """Set what a receipt has left against debts an officer names.

    An officer may pay another customer's debt with it. Suspense becomes the customer's whose debts it pays. What is
    still left is more than the officer named. Raises NotFound, IllegalMove for a reversed receipt, OverAllocated and
    NotEnoughLeft.
    """
    receipt = await lock_row(session, Receipt, receipt_id)
    if receipt.status != ReceiptStatus.RECEIVED:
        raise IllegalMove("The receipt", receipt.status, "allocated")
    open_items = await lock_requested(session, requests)
    requested = open_items.requested(requests)
    check_requests(requested, left_pence=receipt.amount_pence - receipt.allocated_pence)
    left_pence = receipt.amount_pence - receipt.allocated_pence - sum(pence for _, pence in requested)
    lines = [AllocationLine(item, pence, AllocationBasis.BY_HAND) for item, pence in requested]
    await place(session, receipt, lines, note=note, by=by, at=at)
    if left_pence:
        await store.note_unallocated_reasons(session, {receipt.id: UnallocatedReason.MORE_THAN_NAMED})
    return await get_row(session, Receipt, receipt_id)
