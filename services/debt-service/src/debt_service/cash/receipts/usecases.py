"""Recording money received, allocating it by hand, and reversing receipts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.debts import ReceiptReversedV1
from council_common.database.many_rows import rows_by_source
from council_common.database.rows import get_row, lock_row
from council_common.errors import (
    BusinessError,
    DateInFuture,
    IllegalMove,
    SourceReferenceTaken,
    move,
    not_in_future,
    not_too_early,
)
from council_common.identity.actor import Actor
from council_common.observability.logs import get_logger
from council_common.recording import Change, fact, record, record_many
from council_common.web.bulk import Outcome, refused
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.cash.receipts import store
from debt_service.cash.receipts.allocating import (
    OpenItems,
    lock_open_items_of,
    lock_requested,
    post_lines,
    record_allocations,
)
from debt_service.cash.receipts.rules import (
    NEXT,
    AllocationBasis,
    AllocationLine,
    AllocationRequest,
    NewReceipt,
    ReceiptStatus,
    UnallocatedReason,
    check_requests,
    sole_customer,
)
from debt_service.cash.receipts.tables import Allocation, Receipt
from debt_service.ledger.customers.rules import unknown_customer
from debt_service.ledger.customers.store import lock_customers_for_share
from debt_service.ledger.journal.rules import Entry, Fact, allocated_lines, entry, identified_lines, received_lines
from debt_service.ledger.journal.store import post_entries
from debt_service.ledger.receivables.rules import OpenItem, ReceivableStatus
from debt_service.ledger.receivables.store import lock_open_items, save_open_items
from debt_service.ledger.receivables.usecases import overdue
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
    open_items = await lock_open_items_of(session, [by_key[key][1] for key in added])
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
    await post_entries(session, entries, by=by.subject, at=at)
    return refusals


async def allocate_by_hand(
    session: AsyncSession, receipt_id: UUID, requests: Sequence[AllocationRequest], *, by: Actor, at: datetime
) -> Receipt:
    """Set what a receipt has left against debts an officer names.

    An officer may pay another customer's debt with it. Suspense becomes the customer's whose debts it pays.
    Raises NotFound, IllegalMove for a reversed receipt, OverAllocated and NotEnoughLeft.
    """
    receipt = await lock_row(session, Receipt, receipt_id)
    if receipt.status != ReceiptStatus.RECEIVED:
        raise IllegalMove("The receipt", receipt.status, "allocated")
    open_items = await lock_requested(session, requests)
    requested = open_items.requested(requests)
    check_requests(requested, left_pence=receipt.amount_pence - receipt.allocated_pence)
    payer_id, identified = await _identify(session, receipt, sole_customer(item for item, _ in requested))
    lines = [AllocationLine(item, pence, AllocationBasis.BY_HAND) for item, pence in requested]
    posted = post_lines(
        lines, receipt_id=receipt.id, payer_id=payer_id, received_on=receipt.received_on, on=london_date(at)
    )
    entries = await record_allocations(session, posted, by=by, at=at)
    await post_entries(session, [*identified, *entries], by=by.subject, at=at)
    return await get_row(session, Receipt, receipt_id)


async def _identify(
    session: AsyncSession, receipt: Receipt, customer_id: UUID | None
) -> tuple[UUID | None, list[Entry]]:
    """Whose money a receipt is, noted where it was suspense; and the journal entry of that for the caller to post.

    It stays suspense where it pays the debts of several customers.
    """
    if receipt.customer_id is not None or customer_id is None or receipt.allocated_pence > 0:
        return receipt.customer_id, []
    await store.name_customers(session, {receipt.id: customer_id})
    lines = identified_lines(amount_pence=receipt.amount_pence, customer_id=customer_id, receipt_id=receipt.id)
    return customer_id, [entry(Fact.RECEIPT_IDENTIFIED, receipt.id, receipt.received_on, lines)]


async def reverse_receipt(
    session: AsyncSession,
    receipt_id: UUID,
    *,
    reversed_on: date | None,
    reason: str,
    note: str | None,
    by: Actor,
    at: datetime,
) -> Receipt:
    """The money went back (a bounced cheque, an unpaid Direct Debit): what it paid is owed again.

    `reason` is the bank's code, or the council's. Raises NotFound, IllegalMove for a receipt that is reversed,
    DateInFuture, and DateTooEarly for a day before its last allocation.
    """
    on = reversed_on or london_date(at)
    not_in_future("reversed_on", on, today=london_date(at))
    receipt = await lock_row(session, Receipt, receipt_id)
    status = move(NEXT, receipt.status, ReceiptStatus.REVERSED, thing="The receipt")
    allocations = (await store.allocations_of(session, [receipt.id]))[receipt.id]
    standing = [allocation for allocation in allocations if allocation.reversed_on is None]
    earliest = max([receipt.received_on, *(allocation.allocated_on for allocation in standing)])
    not_too_early("reversed_on", on, earliest, before="the receipt or one of its allocations")
    items = await lock_open_items(session, [allocation.receivable_id for allocation in standing]) if standing else {}
    await _reopen(session, receipt, standing, items, on=on, reason=reason, by=by, at=at)
    await store.end_allocations(session, [allocation.id for allocation in standing], on=on)
    await post_entries(session, [_reversal(receipt, standing, items, on)], by=by.subject, at=at)
    receipt.status, receipt.reversed_on, receipt.reversal_reason, receipt.allocated_pence = status, on, reason, 0
    detail = {} if note is None else {"note": note}
    await record(session, fact(receipt, "reversed", reason=reason, detail=detail), by=by, at=at)
    log.info("receipt_reversed", receipt_id=str(receipt.id), amount_pence=receipt.amount_pence)
    return receipt


def _reversal(receipt: Receipt, allocations: Sequence[Allocation], items: dict[UUID, OpenItem], on: date) -> Entry:
    lines = [
        line
        for allocation in allocations
        for line in allocated_lines(
            amount_pence=-allocation.amount_pence,
            payer_id=receipt.customer_id,
            customer_id=items[allocation.receivable_id].customer_id,
            receivable_id=allocation.receivable_id,
            receipt_id=receipt.id,
        )
    ]
    back = received_lines(amount_pence=-receipt.amount_pence, customer_id=receipt.customer_id, receipt_id=receipt.id)
    return entry(Fact.RECEIPT_REVERSED, receipt.id, on, [*lines, *back])


async def _reopen(
    session: AsyncSession,
    receipt: Receipt,
    allocations: Sequence[Allocation],
    items: dict[UUID, OpenItem],
    *,
    on: date,
    reason: str,
    by: Actor,
    at: datetime,
) -> None:
    """What the receipt paid is owed again; a debt that becomes overdue for the first time has its own event."""
    changes: list[Change] = []
    for allocation in allocations:
        item = items[allocation.receivable_id]
        item.reopen(allocation.amount_pence, on=on)
        fields = {
            "customer_id": item.customer_id,
            "receipt_id": receipt.id,
            "reversed_on": on,
            "reversed_pence": allocation.amount_pence,
            "outstanding_pence": item.outstanding_pence,
            "status": item.status,
        }
        detail = {"receipt_id": receipt.id, "amount_pence": allocation.amount_pence}
        reopened = Change(
            "receivable", item.id, item.version, "reopened", ReceiptReversedV1, reason, detail, fields=fields
        )
        changes.append(reopened)
        if item.status == ReceivableStatus.OVERDUE and item.overdue_on is None:
            item.overdue_on = item.due_on + timedelta(days=1)
            item.version += 1
            changes.append(overdue(item))
    await save_open_items(session, list(items.values()))
    await record_many(session, changes, by=by, at=at)
