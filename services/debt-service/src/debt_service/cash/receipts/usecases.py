"""Recording money received, allocating by hand, and receipts that come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.debts import ReceiptReversedV1, ReceivableEvent
from council_common.errors import BusinessError, FieldError, IllegalMove
from council_common.identity.actor import Actor
from council_common.observability.logs import get_logger
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.bulk import Outcome, SourceReused, content_hash, refused
from debt_service.cash.receipts import store
from debt_service.cash.receipts.allocating import OpenItems, lock_open_items_of, lock_requested, pay, record_allocations
from debt_service.cash.receipts.rules import (
    AllocationBasis,
    AllocationLine,
    AllocationRequest,
    NewReceipt,
    ReceiptStatus,
    TooEarly,
    UnallocatedReason,
    check_requests,
    owner,
)
from debt_service.cash.receipts.tables import Allocation, Receipt
from debt_service.ledger.customers.rules import CustomerNotFound
from debt_service.ledger.customers.store import lock_customers_for_share
from debt_service.ledger.journal.rules import Entry, Fact, allocated_lines, entry, identified_lines, received_lines
from debt_service.ledger.journal.store import post_entries
from debt_service.ledger.receivables.rules import FutureDate, OpenItem, ReceivableStatus, not_in_future
from debt_service.ledger.receivables.store import lock_open_items, save_open_items
from debt_service.ledger.receivables.usecases import overdue_event
from debt_service.records import Change, write_changes, write_events

log = get_logger()

Lines = Sequence[tuple[int, NewReceipt]]


async def record_receipts(session: AsyncSession, lines: Lines, *, by: Actor, at: datetime) -> list[Outcome]:
    """Record money received and set it against debts; each line has its own outcome.

    A line whose allocations a rule refuses is refused whole: nothing of it is kept.
    """
    lines, outcomes = await _acceptable(session, lines, today=london_date(at))
    if not lines:
        return outcomes
    by_key = {(new.system, new.reference): (line, new) for line, new in reversed(lines)}
    # In one order for everybody: two requests with the same receipts wait for one another, never in a ring.
    fresh = await store.insert_receipts(session, [by_key[key][1] for key in sorted(by_key)], at=at)
    known = await store.receipts_by_source(session, by_key)
    told_first = {by_key[key][0] for key in fresh}
    debts = await lock_open_items_of(session, [by_key[key][1] for key in fresh])
    # Money is set against debts in the order of the lines, whatever order the rows were added in.
    in_order = sorted(((fresh[key], *by_key[key]) for key in fresh), key=lambda each: each[1])
    refusals = await _allocate(session, in_order, debts, by=by, at=at)
    for line, new in lines:
        receipt = known[new.system, new.reference]
        if receipt.id in refusals:
            # Also for a line that repeats a refused one: nothing of it is kept.
            outcomes.append(refused(line, refusals[receipt.id]))
        elif line in told_first:
            outcomes.append(Outcome(line, "created", receipt.id))
        elif content_hash(new) == receipt.content_hash:
            outcomes.append(Outcome(line, "existing", receipt.id))
        else:
            outcomes.append(refused(line, SourceReused()))
    return outcomes


async def _acceptable(session: AsyncSession, lines: Lines, *, today: date) -> tuple[Lines, list[Outcome]]:
    customers = await lock_customers_for_share(
        session, [new.customer_id for _, new in lines if new.customer_id is not None]
    )
    good: list[tuple[int, NewReceipt]] = []
    bad: list[Outcome] = []
    for line, new in lines:
        if new.received_on > today:
            bad.append(refused(line, FutureDate.of("received_on", today=today)))
        elif new.customer_id is not None and new.customer_id not in customers:
            bad.append(refused(line, CustomerNotFound.named_in("customer_id")))
        else:
            good.append((line, new))
    return good, bad


async def _allocate(
    session: AsyncSession, fresh: Sequence[tuple[UUID, int, NewReceipt]], debts: OpenItems, *, by: Actor, at: datetime
) -> dict[UUID, BusinessError]:
    """Set new receipts against debts and put both on the books; returns the refused ones, taken out again."""
    refusals: dict[UUID, BusinessError] = {}
    owners: dict[UUID, UUID] = {}
    reasons: dict[UUID, UnallocatedReason] = {}
    paid, entries = [], []
    for receipt_id, _, new in fresh:
        try:
            plan = debts.plan(new)
        except BusinessError as no:
            refusals[receipt_id] = no
            continue
        customer_id = plan.customer_id
        if customer_id is not None and new.customer_id is None:
            owners[receipt_id] = customer_id
        if sum(share.amount_pence for share in plan.shares) < new.amount_pence:
            reasons[receipt_id] = plan.on_account
        lines = received_lines(amount_pence=new.amount_pence, customer_id=customer_id, receipt_id=receipt_id)
        entries.append(entry(Fact.RECEIPT_RECEIVED, receipt_id, new.received_on, lines))
        on = new.received_on
        paid += pay(plan.shares, receipt_id=receipt_id, on_account_of=customer_id, received_on=on, on=on)
    await store.forget_receipts(session, list(refusals))
    await store.name_customers(session, owners)
    await store.note_on_account(session, reasons)
    kept = (Change("receipt", receipt_id, 1, "received") for receipt_id, _, _ in fresh if receipt_id not in refusals)
    await write_changes(session, kept, by=by, at=at)
    entries += await record_allocations(session, paid, by=by, at=at)
    await post_entries(session, entries, by=by.subject, at=at)
    return refusals


async def allocate_by_hand(
    session: AsyncSession, receipt_id: UUID, requests: Sequence[AllocationRequest], *, by: Actor, at: datetime
) -> None:
    """Set what a receipt has left against debts an officer names; raises OverAllocated or NotEnoughLeft.

    An officer may pay another customer's debt with it. Suspense becomes the customer's whose debts it pays.
    """
    receipt = await store.lock_receipt(session, receipt_id)
    if receipt.status != ReceiptStatus.RECEIVED:
        raise IllegalMove("The receipt", receipt.status, "allocated")
    debts = await lock_requested(session, requests)
    asked = debts.asked(requests)
    check_requests(asked, left_pence=receipt.amount_pence - receipt.allocated_pence)
    identified = await _identify(session, receipt, owner(owed for owed, _ in asked))
    planned = [AllocationLine(owed, pence, AllocationBasis.BY_HAND) for owed, pence in asked]
    paid = pay(
        planned,
        receipt_id=receipt.id,
        on_account_of=receipt.customer_id,
        received_on=receipt.received_on,
        on=london_date(at),
    )
    entries = await record_allocations(session, paid, by=by, at=at)
    await post_entries(session, [*identified, *entries], by=by.subject, at=at)


async def _identify(session: AsyncSession, receipt: Receipt, customer_id: UUID | None) -> list[Entry]:
    """Note whose money a receipt is that nobody could be found for; returns the journal entry for the caller to post.

    Not where it paid several customers' debts.
    """
    if receipt.customer_id is not None or customer_id is None or receipt.allocated_pence > 0:
        return []
    receipt.customer_id = customer_id
    await session.flush()
    lines = identified_lines(amount_pence=receipt.amount_pence, customer_id=customer_id, receipt_id=receipt.id)
    return [entry(Fact.RECEIPT_IDENTIFIED, receipt.id, receipt.received_on, lines)]


async def reverse_receipt(
    session: AsyncSession, receipt_id: UUID, *, reversed_on: date | None, reason: str, by: Actor, at: datetime
) -> None:
    """Money came back (a bounced cheque, an unpaid Direct Debit): what it paid is owed again."""
    on = reversed_on or london_date(at)
    not_in_future("reversed_on", on, today=london_date(at))
    receipt = await store.lock_receipt(session, receipt_id)
    if receipt.status != ReceiptStatus.RECEIVED:
        raise IllegalMove("The receipt", receipt.status, ReceiptStatus.REVERSED)
    live = [each for each in (await store.allocations_of(session, [receipt.id]))[receipt.id] if not each.reversed_on]
    earliest = max([receipt.received_on, *(each.allocated_on for each in live)])
    if on < earliest:
        expected = f"not before {earliest}"
        errors = [FieldError("reversed_on", "lies before the receipt or one of its allocations", expected)]
        raise TooEarly("A receipt cannot come back before it was received and allocated.", errors=errors)
    owed = await lock_open_items(session, [each.receivable_id for each in live]) if live else {}
    await _reopen(session, receipt, live, owed, on=on, reason=reason, by=by, at=at)
    await store.end_allocations(session, [each.id for each in live], on=on)
    await post_entries(session, [_reversal(receipt, live, owed, on)], by=by.subject, at=at)
    receipt.status = ReceiptStatus.REVERSED
    receipt.reversed_on, receipt.reversal_reason = on, reason
    receipt.allocated_pence = 0
    receipt.version += 1
    await session.flush()
    await write_changes(session, [Change("receipt", receipt.id, receipt.version, "reversed", reason)], by=by, at=at)
    log.info("receipt_reversed", receipt_id=str(receipt.id), amount_pence=receipt.amount_pence)


def _reversal(receipt: Receipt, live: Sequence[Allocation], owed: dict[UUID, OpenItem], on: date) -> Entry:
    lines = [
        line
        for each in live
        for line in allocated_lines(
            amount_pence=-each.amount_pence,
            on_account_of=receipt.customer_id,
            customer_id=owed[each.receivable_id].customer_id,
            receivable_id=each.receivable_id,
            receipt_id=receipt.id,
        )
    ]
    back = received_lines(amount_pence=-receipt.amount_pence, customer_id=receipt.customer_id, receipt_id=receipt.id)
    return entry(Fact.RECEIPT_REVERSED, receipt.id, on, [*lines, *back])


async def _reopen(
    session: AsyncSession,
    receipt: Receipt,
    live: Sequence[Allocation],
    owed: dict[UUID, OpenItem],
    *,
    on: date,
    reason: str,
    by: Actor,
    at: datetime,
) -> None:
    """What the receipt paid is owed again; a debt that becomes overdue for the first time says so."""
    events: list[ReceivableEvent] = []
    changes: list[Change] = []
    for each in live:
        debt = owed[each.receivable_id]
        debt.reopen(each.amount_pence, on=on)
        detail = {"receipt_id": receipt.id, "amount_pence": each.amount_pence}
        changes.append(Change("receivable", debt.id, debt.version, "reopened", reason, detail))
        events.append(
            ReceiptReversedV1(
                version=debt.version,
                occurred_at=at,
                by=by.subject,
                receivable_id=debt.id,
                customer_id=debt.customer_id,
                receipt_id=receipt.id,
                reversed_on=on,
                reversed_pence=each.amount_pence,
                outstanding_pence=debt.outstanding_pence,
                status=debt.status,
            )
        )
        if debt.status == ReceivableStatus.OVERDUE and debt.overdue_on is None:
            debt.overdue_on = debt.due_on + timedelta(days=1)
            debt.version += 1
            changes.append(Change("receivable", debt.id, debt.version, "overdue"))
            events.append(overdue_event(debt, by=by, at=at))
    await save_open_items(session, list(owed.values()))
    await write_changes(session, changes, by=by, at=at)
    await write_events(session, events)
