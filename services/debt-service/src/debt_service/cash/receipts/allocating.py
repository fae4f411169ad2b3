"""Setting receipts against debts: who may be paid, what is paid, and its traces in books, history and events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from council_common.contracts.debts import ReceiptAllocatedV1, ReceivableEvent, ReceivableSettledV1
from council_common.errors import FieldError
from council_common.identity.actor import Actor
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.cash.receipts.rules import (
    AllocationBasis,
    AllocationLine,
    AllocationPlan,
    AllocationRequest,
    AnothersDebt,
    NewReceipt,
    UnallocatedReason,
    check_requests,
    owner,
    paid_on,
    plan_quoted,
    plan_unquoted,
    quoted_numbers,
)
from debt_service.cash.receipts.store import NewAllocation, add_allocations, last_paid
from debt_service.ledger.journal.rules import Entry, Fact, allocated_lines, entry
from debt_service.ledger.receivables.rules import OpenItem, PaymentOutcome, ReceivableNotFound
from debt_service.ledger.receivables.store import ids_by_number, lock_open_items, open_ids_of, save_open_items
from debt_service.records import Change, write_changes, write_events


@dataclass(frozen=True, slots=True)
class PostedAllocation:
    """One allocation that was made: from which receipt, to which debt, and what it left."""

    allocation_id: UUID
    receipt_id: UUID
    on_account_of: UUID | None
    received_on: date
    on: date
    share: AllocationLine
    payment: PaymentOutcome


class OpenItems:
    """The receivables that some receipts may be set against, their rows locked."""

    def __init__(self, owed: dict[UUID, OpenItem]) -> None:
        self._owed = owed
        self._by_number = {each.number: each for each in owed.values()}
        self._by_customer: dict[UUID, list[OpenItem]] = {}
        for each in owed.values():
            self._by_customer.setdefault(each.customer_id, []).append(each)

    def asked(self, requests: Iterable[AllocationRequest]) -> list[tuple[OpenItem, int]]:
        """What allocations name; raises ReceivableNotFound."""
        return [(self._requested(request, position), request.amount_pence) for position, request in enumerate(requests)]

    def _requested(self, request: AllocationRequest, position: int) -> OpenItem:
        found = (
            self._owed.get(request.receivable_id)
            if request.receivable_id
            else self._by_number.get(request.number or "")
        )
        if found is None:
            field = "receivable_id" if request.receivable_id else "number"
            errors = [FieldError(f"allocations.{position}.{field}", "is not known here", "a receivable")]
            raise ReceivableNotFound("An allocation names a receivable that is not known here.", errors=errors)
        return found

    def plan(self, new: NewReceipt) -> AllocationPlan:
        """Whose money a receipt is and what it is to be set against; raises what the requests run against."""
        if new.requests:
            asked = self.asked(new.requests)
            check_requests(asked, left_pence=new.amount_pence)
            _check_owner(asked, new.customer_id)
            whose = new.customer_id or owner(owed for owed, _ in asked)
            named = [AllocationLine(owed, pence, AllocationBasis.EXPLICIT) for owed, pence in asked]
            return AllocationPlan(whose, named, UnallocatedReason.MORE_THAN_NAMED)
        words = quoted_numbers(new.payer_reference)
        quoted = [self._by_number[word] for word in words if word in self._by_number]
        if quoted:
            return plan_quoted(new.amount_pence, quoted, customer_id=new.customer_id)
        of_payer = self._by_customer.get(new.customer_id, []) if new.customer_id else []
        return plan_unquoted(new.amount_pence, of_payer, customer_id=new.customer_id)


def _check_owner(asked: Sequence[tuple[OpenItem, int]], customer_id: UUID | None) -> None:
    for position, (owed, _) in enumerate(asked):
        if customer_id not in {None, owed.customer_id}:
            errors = [FieldError(f"allocations.{position}", "is another customer's", "a receivable of customer_id")]
            raise AnothersDebt("An allocation names another customer's receivable.", errors=errors)


async def lock_open_items_of(session: AsyncSession, receipts: Sequence[NewReceipt]) -> OpenItems:
    """Lock, in the order of their ids, every receivable one of these receipts may be set against."""
    requests = [request for new in receipts for request in new.requests]
    by_rule = [(new, quoted_numbers(new.payer_reference)) for new in receipts if not new.requests]
    words = {word for _, quoted in by_rule for word in quoted}
    known = await ids_by_number(session, words) if words else {}
    # Only who quotes nothing that is known here has other debts paid.
    unquoted = [new for new, quoted in by_rule if known.keys().isdisjoint(quoted)]
    customers = {new.customer_id for new in unquoted if new.customer_id is not None}
    ids = set(await open_ids_of(session, customers)) if customers else set()
    return await lock_requested(session, requests, others=ids | {receivable_id for receivable_id, _ in known.values()})


async def lock_requested(
    session: AsyncSession, requests: Sequence[AllocationRequest], *, others: Iterable[UUID] = ()
) -> OpenItems:
    """Lock the receivables that allocations name, and others."""
    wanted = {request.receivable_id for request in requests if request.receivable_id} | set(others)
    named = {request.number for request in requests if request.number}
    if named:
        wanted |= {receivable_id for receivable_id, _ in (await ids_by_number(session, named)).values()}
    owed = await lock_open_items(session, wanted) if wanted else {}
    for receivable_id, day in (await last_paid(session, owed) if owed else {}).items():
        owed[receivable_id].last_paid_on = day
    return OpenItems(owed)


def pay(
    planned: Iterable[AllocationLine], *, receipt_id: UUID, on_account_of: UUID | None, received_on: date, on: date
) -> list[PostedAllocation]:
    """Set a receipt's shares against their debts, which know at once: the next receipt sees what is left."""
    made = []
    for share in planned:
        counts_on = paid_on(share.owed, on)
        payment = share.owed.pay(share.amount_pence, on=counts_on)
        made.append(PostedAllocation(new_id(), receipt_id, on_account_of, received_on, counts_on, share, payment))
    return made


async def record_allocations(
    session: AsyncSession, paid: Sequence[PostedAllocation], *, by: Actor, at: datetime
) -> list[Entry]:
    """Keep allocations, balances, history and events; returns the journal entries for the caller to post."""
    if not paid:
        return []
    allocated = await add_allocations(
        session,
        [
            NewAllocation(
                each.allocation_id,
                each.receipt_id,
                each.share.owed.id,
                each.share.amount_pence,
                each.share.basis,
                each.on,
                by.subject,
            )
            for each in paid
        ],
    )
    await save_open_items(session, list({each.share.owed.id: each.share.owed for each in paid}.values()))
    of_receipts = (
        Change("receipt", each.receipt_id, each.version, "allocated", detail={"allocated_pence": each.pence})
        for each in allocated
    )
    await write_changes(session, [*of_receipts, *(change for each in paid for change in _changes(each))], by=by, at=at)
    await write_events(session, (event for each in paid for event in _events(each, by=by, at=at)))
    return [_entry(each) for each in paid]


def _changes(paid: PostedAllocation) -> list[Change]:
    owed, payment = paid.share.owed, paid.payment
    detail = {
        "receipt_id": paid.receipt_id,
        "amount_pence": paid.share.amount_pence,
        "outstanding_pence": payment.outstanding_pence,
        "basis": paid.share.basis,
    }
    changes = [Change("receivable", owed.id, payment.version, "paid", detail=detail)]
    if payment.settled_on is not None:
        settled = {"settled_on": payment.settled_on}
        changes.append(Change("receivable", owed.id, payment.version + 1, "settled", detail=settled))
    return changes


def _entry(paid: PostedAllocation) -> Entry:
    lines = allocated_lines(
        amount_pence=paid.share.amount_pence,
        on_account_of=paid.on_account_of,
        customer_id=paid.share.owed.customer_id,
        receivable_id=paid.share.owed.id,
        receipt_id=paid.receipt_id,
    )
    return entry(Fact.RECEIPT_ALLOCATED, paid.allocation_id, paid.on, lines)


def _events(paid: PostedAllocation, *, by: Actor, at: datetime) -> list[ReceivableEvent]:
    owed, payment = paid.share.owed, paid.payment
    events: list[ReceivableEvent] = [
        ReceiptAllocatedV1(
            version=payment.version,
            occurred_at=at,
            by=by.subject,
            receivable_id=owed.id,
            customer_id=owed.customer_id,
            receipt_id=paid.receipt_id,
            received_on=paid.received_on,
            allocated_pence=paid.share.amount_pence,
            outstanding_pence=payment.outstanding_pence,
            basis=paid.share.basis,
        )
    ]
    if payment.settled_on is not None:
        events.append(
            ReceivableSettledV1(
                version=payment.version + 1,
                occurred_at=at,
                by=by.subject,
                receivable_id=owed.id,
                customer_id=owed.customer_id,
                settled_on=payment.settled_on,
            )
        )
    return events
