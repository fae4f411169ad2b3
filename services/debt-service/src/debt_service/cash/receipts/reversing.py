"""What was wrong or went back: reversing one allocation of a receipt, or the whole receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.debts import AllocationReversedV1, ReceiptReversedV1
from council_common.database.rows import lock_row
from council_common.errors import NotFound, move, not_in_future, not_too_early
from council_common.identity.actor import Actor
from council_common.observability.logs import get_logger
from council_common.recording import Change, fact, record, record_many
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.cash.receipts import store
from debt_service.cash.receipts.rules import (
    NEXT,
    AllocationReversalReason,
    AllocationReversed,
    ReceiptStatus,
    UnallocatedReason,
)
from debt_service.cash.receipts.tables import Allocation, Receipt
from debt_service.ledger.journal.rules import (
    Entry,
    EntryLine,
    Fact,
    allocated_lines,
    entry,
    identified_lines,
    received_lines,
)
from debt_service.ledger.journal.store import post_entries
from debt_service.ledger.receivables.rules import OpenItem, ReceivableStatus
from debt_service.ledger.receivables.store import lock_open_items, save_open_items
from debt_service.ledger.receivables.usecases import overdue

log = get_logger()


@dataclass(frozen=True, slots=True)
class Ended:
    """An allocation that is taken back, the day from which it no longer counts, and the debt it was set against."""

    allocation: Allocation
    on: date
    item: OpenItem


async def reverse_allocation(
    session: AsyncSession,
    receipt_id: UUID,
    allocation_id: UUID,
    *,
    reason: AllocationReversalReason,
    note: str,
    by: Actor,
    at: datetime,
) -> tuple[Receipt, bool]:
    """One allocation was wrong: it alone ends today and its debt is owed again; the money is on account.

    Whose money it is was read off the debt where the source named no payer: with the last of its allocations that is
    open again, and the receipt is suspense. Returns the receipt, and False where it was reversed before for the same
    reason. Raises NotFound, and AllocationReversed where it was for another.
    """
    receipt = await lock_row(session, Receipt, receipt_id)
    allocations = (await store.allocations_of(session, [receipt.id]))[receipt.id]
    wrong = next((allocation for allocation in allocations if allocation.id == allocation_id), None)
    if wrong is None:
        raise NotFound.of("allocation")
    if wrong.reversed_on is not None:
        if wrong.reversal_reason == reason:
            return receipt, False
        raise AllocationReversed(f"This allocation was reversed on {wrong.reversed_on}: {wrong.reversal_reason}.")
    items = await lock_open_items(session, [wrong.receivable_id])
    ended = [Ended(wrong, london_date(at), items[wrong.receivable_id])]
    await take_back(session, receipt, ended, reason=reason, note=note, by=by, at=at)
    return receipt, True


async def take_back(
    session: AsyncSession, receipt: Receipt, ended: Sequence[Ended], *, reason: str, note: str, by: Actor, at: datetime
) -> None:
    """End some allocations of a locked receipt, their debts locked: all its traces, and the money on account again."""
    await _reopen(session, receipt, ended, AllocationReversedV1, reason=reason, by=by, at=at)
    await store.end_allocations(session, {one.allocation.id: one.on for one in ended}, reason=reason)
    entries = [_allocation_reversal(receipt, one) for one in ended]
    receipt.allocated_pence -= sum(one.allocation.amount_pence for one in ended)
    receipt.on_account_reason = UnallocatedReason.ALLOCATION_REVERSED
    if receipt.allocated_pence == 0 and receipt.customer_id is not None and not receipt.payer_named:
        lines = identified_lines(
            amount_pence=-receipt.amount_pence, customer_id=receipt.customer_id, receipt_id=receipt.id
        )
        entries.append(entry(Fact.RECEIPT_UNIDENTIFIED, ended[0].allocation.id, ended[0].on, lines))
        receipt.customer_id = None
    await post_entries(session, entries, by=by, at=at)
    facts = [
        fact(receipt, "allocation reversed", reason=reason, detail={**_detail(one), "note": note}) for one in ended
    ]
    await record(session, *facts, by=by, at=at)
    log.info("allocations_reversed", receipt_id=str(receipt.id), allocations=len(ended))


def _detail(one: Ended) -> dict[str, Any]:
    return {
        "allocation_id": one.allocation.id,
        "receivable_id": one.allocation.receivable_id,
        "amount_pence": one.allocation.amount_pence,
    }


async def reverse_receipt(
    session: AsyncSession,
    receipt_id: UUID,
    *,
    reversed_on: date | None,
    reason: str,
    note: str | None,
    by: Actor,
    at: datetime,
) -> tuple[Receipt, bool]:
    """The money went back (a bounced cheque, an unpaid Direct Debit): what it paid is owed again.

    It counts from the bank's day, an allocation made after that from its own day. `reason` is the bank's code, or the
    council's. Returns the receipt, and False where the same return was recorded before. Raises NotFound, IllegalMove
    for a receipt that is reversed for another reason or on another day, DateInFuture, and DateTooEarly for a day before
    the receipt.
    """
    on = reversed_on or london_date(at)
    not_in_future("reversed_on", on, today=london_date(at))
    receipt = await lock_row(session, Receipt, receipt_id)
    recorded_before = (receipt.status, receipt.reversal_reason) == (ReceiptStatus.REVERSED, reason)
    if recorded_before and reversed_on in {None, receipt.reversed_on}:
        return receipt, False
    status = move(NEXT, receipt.status, ReceiptStatus.REVERSED, thing="The receipt")
    not_too_early("reversed_on", on, receipt.received_on, before="the receipt")
    allocations = (await store.allocations_of(session, [receipt.id]))[receipt.id]
    standing = [allocation for allocation in allocations if allocation.reversed_on is None]
    items = await lock_open_items(session, [allocation.receivable_id for allocation in standing]) if standing else {}
    ended = [
        Ended(allocation, max(on, allocation.allocated_on), items[allocation.receivable_id]) for allocation in standing
    ]
    await _reopen(session, receipt, ended, ReceiptReversedV1, reason=reason, on=on, by=by, at=at)
    await store.end_allocations(session, {one.allocation.id: one.on for one in ended}, reason=reason)
    await post_entries(session, _reversal(receipt, ended, on), by=by, at=at)
    receipt.status, receipt.reversed_on, receipt.reversal_reason, receipt.allocated_pence = status, on, reason, 0
    detail = {} if note is None else {"note": note}
    await record(session, fact(receipt, "reversed", reason=reason, detail=detail), by=by, at=at)
    log.info("receipt_reversed", receipt_id=str(receipt.id), amount_pence=receipt.amount_pence)
    return receipt, True


def _reversal(receipt: Receipt, ended: Sequence[Ended], on: date) -> list[Entry]:
    """One entry on the bank's day; an allocation made after that day ends by an entry of its own, on its own day."""
    lines = [line for one in ended if one.on == on for line in _taken_back(receipt, one)]
    back = received_lines(amount_pence=-receipt.amount_pence, customer_id=receipt.customer_id, receipt_id=receipt.id)
    later = [_allocation_reversal(receipt, one) for one in ended if one.on != on]
    return [entry(Fact.RECEIPT_REVERSED, receipt.id, on, [*lines, *back]), *later]


def _allocation_reversal(receipt: Receipt, one: Ended) -> Entry:
    return entry(Fact.ALLOCATION_REVERSED, one.allocation.id, one.on, _taken_back(receipt, one))


def _taken_back(receipt: Receipt, one: Ended) -> tuple[EntryLine, ...]:
    return allocated_lines(
        amount_pence=-one.allocation.amount_pence,
        payer_id=receipt.customer_id,
        customer_id=one.item.customer_id,
        receivable_id=one.item.id,
        receipt_id=receipt.id,
    )


async def _reopen(
    session: AsyncSession,
    receipt: Receipt,
    ended: Sequence[Ended],
    event: type[AllocationReversedV1 | ReceiptReversedV1],
    *,
    reason: str,
    on: date | None = None,
    by: Actor,
    at: datetime,
) -> None:
    """What was paid is owed again; a debt that becomes overdue for the first time has its own event.

    `on` is the day the event gives, where it is not that of each allocation's end.
    """
    changes: list[Change] = []
    for one in ended:
        item, pence = one.item, one.allocation.amount_pence
        item.reopen(pence, on=one.on)
        fields = {
            "customer_id": item.customer_id,
            "receipt_id": receipt.id,
            "reversed_on": on or one.on,
            "reversed_pence": pence,
            "outstanding_pence": item.outstanding_pence,
            "status": item.status,
        }
        detail = {"receipt_id": receipt.id, "amount_pence": pence}
        changes.append(Change("receivable", item.id, item.version, "reopened", event, reason, detail, fields=fields))
        if item.status == ReceivableStatus.OVERDUE and item.overdue_on is None:
            item.overdue_on = item.due_on + timedelta(days=1)
            item.version += 1
            changes.append(overdue(item))
    await save_open_items(session, list({one.item.id: one.item for one in ended}.values()))
    await record_many(session, changes, by=by, at=at)
