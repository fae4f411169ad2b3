"""Setting receipts against open items: who may be paid, what is paid, and its traces in books, history and events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.debts import ReceiptAllocatedV1, ReceivableSettledV1
from council_common.database.many_rows import SourceKey
from council_common.errors import FieldError, NotFound
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import Change, record_many
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.arrangements.holds.store import disputed
from debt_service.cash.receipts.quoting import NOTHING_QUOTED, Quoted, is_quotable, possible_numbers, read_quoted
from debt_service.cash.receipts.rules import (
    AllocationBasis,
    AllocationLine,
    AllocationPlan,
    AllocationRequest,
    AnothersDebt,
    NewReceipt,
    UnallocatedReason,
    check_requests,
    plan_quoted,
    plan_unquoted,
    plan_unreadable,
    sole_customer,
)
from debt_service.cash.receipts.store import NewAllocation, add_allocations, name_customers, note_paid
from debt_service.cash.receipts.tables import Receipt
from debt_service.ledger.customers.store import references_of
from debt_service.ledger.journal.rules import Entry, Fact, allocated_lines, entry, identified_lines
from debt_service.ledger.journal.store import post_entries
from debt_service.ledger.receivables.rules import OpenItem, PaymentOutcome
from debt_service.ledger.receivables.store import ids_by_number, lock_open_items, open_ids_of, save_open_items

_NONE_QUOTED: Mapping[SourceKey, Quoted] = {}


@dataclass(frozen=True, slots=True)
class PostedAllocation:
    """An allocation line that was posted: from which receipt, the day it counts for, and what it left of the debt."""

    id: UUID
    receipt_id: UUID
    payer_id: UUID | None
    received_on: date
    posted_on: date
    line: AllocationLine
    outcome: PaymentOutcome


class OpenItems:
    """The receivables that some receipts may be set against, their rows locked."""

    def __init__(self, items: dict[UUID, OpenItem], quoted: Mapping[SourceKey, Quoted]) -> None:
        self._by_id = items
        self._quoted = quoted
        self._by_number = {item.number: item for item in items.values()}
        self._by_customer: dict[UUID, list[OpenItem]] = {}
        for item in items.values():
            self._by_customer.setdefault(item.customer_id, []).append(item)

    def mark_disputed(self, receivable_ids: Iterable[UUID]) -> None:
        """Mark those in dispute."""
        for receivable_id in receivable_ids:
            self._by_id[receivable_id].in_dispute = True

    def requested(self, requests: Iterable[AllocationRequest]) -> list[tuple[OpenItem, int]]:
        """The open items that requests name, each with its pence; raises NotFound."""
        return [(self._named_by(request, position), request.amount_pence) for position, request in enumerate(requests)]

    def _named_by(self, request: AllocationRequest, position: int) -> OpenItem:
        if request.receivable_id is not None:
            field, item = "receivable_id", self._by_id.get(request.receivable_id)
        else:
            field, item = "number", self._by_number.get(request.number or "")
        if item is None:
            errors = [FieldError(f"allocations.{position}.{field}", "is not known here", "a receivable")]
            raise NotFound.of("receivable", errors=errors)
        return item

    def plan(self, new: NewReceipt) -> AllocationPlan:
        """Whose money a receipt is and what it is to be set against.

        Raises NotFound, NotEnoughLeft, OverAllocated or AnothersDebt where its requests cannot be followed.
        """
        if new.requests:
            requested = self.requested(new.requests)
            check_requests(requested, left_pence=new.amount_pence)
            _check_customer(requested, new.customer_id)
            customer_id = new.customer_id or sole_customer(item for item, _ in requested)
            lines = [AllocationLine(item, pence, AllocationBasis.EXPLICIT) for item, pence in requested]
            return AllocationPlan(customer_id, lines, UnallocatedReason.MORE_THAN_NAMED)
        said = self._quoted.get((new.source_system, new.source_reference), NOTHING_QUOTED)
        quoted = [self._by_number[number] for number in said.numbers]
        if quoted:
            return plan_quoted(new.amount_pence, quoted, customer_id=new.customer_id, is_unreadable=said.is_unreadable)
        if said.is_unreadable:
            return plan_unreadable(new.customer_id)
        of_payer = self._by_customer.get(new.customer_id, []) if new.customer_id else []
        return plan_unquoted(new.amount_pence, of_payer, customer_id=new.customer_id)


def _check_customer(requested: Sequence[tuple[OpenItem, int]], customer_id: UUID | None) -> None:
    for position, (item, _) in enumerate(requested):
        if customer_id not in {None, item.customer_id}:
            errors = [FieldError(f"allocations.{position}", "is another customer's", "a receivable of customer_id")]
            raise AnothersDebt("An allocation names another customer's receivable.", errors=errors)


async def lock_open_items_of(session: AsyncSession, receipts: Sequence[NewReceipt], *, today: date) -> OpenItems:
    """Lock, in the order of their ids, every receivable one of these receipts may be set against."""
    requests = [request for new in receipts for request in new.requests]
    quoted, quoted_ids = await _read_quoted(session, [new for new in receipts if not new.requests])
    # Only a receipt whose payer quoted nothing pays its customer's other debts.
    unquoted = {
        new.customer_id
        for new in receipts
        if new.customer_id is not None and quoted.get((new.source_system, new.source_reference)) == NOTHING_QUOTED
    }
    ids = set(await open_ids_of(session, unquoted)) if unquoted else set()
    items = await lock_requested(session, requests, others=ids | quoted_ids, quoted=quoted)
    if ids:
        # After the locks: a hold is placed under the lock of what it reaches.
        items.mark_disputed(await disputed(session, ids, as_at=today))
    return items


async def _read_quoted(
    session: AsyncSession, receipts: Sequence[NewReceipt]
) -> tuple[dict[SourceKey, Quoted], set[UUID]]:
    """What the payers of some receipts quoted, by source, and the receivables that they quoted.

    A word that is no quotable number still names the payer's own debt of that number.
    """
    words = {word for new in receipts for word in possible_numbers(new.payer_reference)}
    known = await ids_by_number(session, words) if words else {}

    def read(new: NewReceipt, payers_reference: str | None = None) -> Quoted:
        def is_number(word: str) -> bool:
            return word in known and (is_quotable(word) or known[word][1] == new.customer_id)

        return read_quoted(new.payer_reference, is_number, payers_reference=payers_reference)

    quoted = {(new.source_system, new.source_reference): read(new) for new in receipts}
    in_doubt = [
        (new, new.customer_id)
        for new in receipts
        if new.customer_id is not None and quoted[new.source_system, new.source_reference].is_unreadable
    ]
    if in_doubt:
        references = await references_of(session, [payer_id for _, payer_id in in_doubt])
        for new, payer_id in in_doubt:
            quoted[new.source_system, new.source_reference] = read(new, references.get(payer_id))
    return quoted, {known[number][0] for said in quoted.values() for number in said.numbers}


async def lock_requested(
    session: AsyncSession,
    requests: Sequence[AllocationRequest],
    *,
    others: Iterable[UUID] = (),
    quoted: Mapping[SourceKey, Quoted] = _NONE_QUOTED,
) -> OpenItems:
    """Lock the receivables that requests name, and others."""
    ids = {request.receivable_id for request in requests if request.receivable_id} | set(others)
    numbers = {request.number for request in requests if request.number}
    if numbers:
        ids |= {receivable_id for receivable_id, _ in (await ids_by_number(session, numbers)).values()}
    items = await lock_open_items(session, ids) if ids else {}
    if items:
        await note_paid(session, items)
    return OpenItems(items, quoted)


def post_lines(
    lines: Iterable[AllocationLine], *, receipt_id: UUID, payer_id: UUID | None, received_on: date, on: date
) -> list[PostedAllocation]:
    """Set a receipt's planned lines against their items, at once: the next receipt is planned on what is left."""
    posted = []
    for line in lines:
        counts_on = line.item.owes_from(line.amount_pence, on=on)
        outcome = line.item.pay(line.amount_pence, on=counts_on)
        posted.append(PostedAllocation(new_id(), receipt_id, payer_id, received_on, counts_on, line, outcome))
    return posted


async def place(
    session: AsyncSession,
    receipt: Receipt,
    lines: Sequence[AllocationLine],
    *,
    note: str | None,
    by: Actor,
    at: datetime,
) -> None:
    """Set money of a locked receipt against open items today, with all its traces.

    Suspense becomes the customer's whose debts it pays; it stays that where it pays several customers' debts.
    """
    on, payer_id = london_date(at), receipt.customer_id
    if payer_id is None and receipt.allocated_pence == 0:
        payer_id = sole_customer(line.item for line in lines)
    posted = post_lines(lines, receipt_id=receipt.id, payer_id=payer_id, received_on=receipt.received_on, on=on)
    entries = await record_allocations(session, posted, note=note, by=by, at=at)
    if payer_id is not None and receipt.customer_id is None:
        await name_customers(session, {receipt.id: payer_id})
        identified = identified_lines(amount_pence=receipt.amount_pence, customer_id=payer_id, receipt_id=receipt.id)
        # The first of these allocations found out whose money it is: a receipt may be suspense more than once.
        entries.insert(0, entry(Fact.RECEIPT_IDENTIFIED, posted[0].id, on, identified))
    await post_entries(session, entries, by=by, at=at)


async def record_allocations(
    session: AsyncSession, posted: Sequence[PostedAllocation], *, note: str | None = None, by: Actor, at: datetime
) -> list[Entry]:
    """Save allocations, balances, history and events; returns the journal entries for the caller to post."""
    if not posted:
        return []
    totals = await add_allocations(
        session,
        [
            NewAllocation(
                id=allocation.id,
                receipt_id=allocation.receipt_id,
                receivable_id=allocation.line.item.id,
                amount_pence=allocation.line.amount_pence,
                basis=allocation.line.basis,
                allocated_on=allocation.posted_on,
                allocated_by=by.subject,
                allocated_by_name=by.name,
                moved_from_id=allocation.line.moved_from_id,
            )
            for allocation in posted
        ],
    )
    await save_open_items(
        session, list({allocation.line.item.id: allocation.line.item for allocation in posted}.values())
    )
    said = {} if note is None else {"note": note}
    of_receipts = (
        Change("receipt", total.receipt_id, total.version, "allocated", detail={"allocated_pence": total.pence, **said})
        for total in totals
    )
    of_receivables = (change for allocation in posted for change in _changes(allocation))
    await record_many(session, [*of_receipts, *of_receivables], by=by, at=at)
    return [_entry(allocation) for allocation in posted]


def _changes(allocation: PostedAllocation) -> list[Change]:
    item, outcome = allocation.line.item, allocation.outcome
    paid = {
        "customer_id": item.customer_id,
        "receipt_id": allocation.receipt_id,
        "received_on": allocation.received_on,
        "allocated_pence": allocation.line.amount_pence,
        "outstanding_pence": outcome.outstanding_pence,
        "basis": allocation.line.basis,
    }
    detail = {
        "receipt_id": allocation.receipt_id,
        "amount_pence": allocation.line.amount_pence,
        "outstanding_pence": outcome.outstanding_pence,
        "basis": allocation.line.basis,
    }
    changes = [Change("receivable", item.id, outcome.version, "paid", ReceiptAllocatedV1, detail=detail, fields=paid)]
    if outcome.settled_on is not None:
        settled = {"settled_on": outcome.settled_on}
        fields = settled | {"customer_id": item.customer_id}
        version = outcome.version + 1
        changes.append(
            Change("receivable", item.id, version, "settled", ReceivableSettledV1, detail=settled, fields=fields)
        )
    return changes


def _entry(allocation: PostedAllocation) -> Entry:
    lines = allocated_lines(
        amount_pence=allocation.line.amount_pence,
        payer_id=allocation.payer_id,
        customer_id=allocation.line.item.customer_id,
        receivable_id=allocation.line.item.id,
        receipt_id=allocation.receipt_id,
    )
    return entry(Fact.RECEIPT_ALLOCATED, allocation.id, allocation.posted_on, lines)
