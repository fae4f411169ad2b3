"""Raising and crediting receivables, and marking them overdue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.debts import (
    ReceivableCancelledV1,
    ReceivableCreditedV1,
    ReceivableOverdueV1,
    ReceivableRaisedV1,
)
from council_common.contracts.fields import SourceReference
from council_common.database.many_rows import rows_by_source
from council_common.database.rows import lock_row
from council_common.errors import DateInFuture, SourceReferenceTaken, not_in_future
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.observability.logs import get_logger
from council_common.recording import Change, fact, record, record_many
from council_common.web.bulk import Outcome, refused
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.ledger.customers.rules import unknown_customer
from debt_service.ledger.customers.store import lock_customers_for_share
from debt_service.ledger.customers.tables import Customer
from debt_service.ledger.journal.rules import Entry, Fact, charge_lines, entry
from debt_service.ledger.journal.store import post_entries
from debt_service.ledger.receivables import store
from debt_service.ledger.receivables.rules import (
    CancelReason,
    NewReceivable,
    NumberTaken,
    OpenItem,
    ReceivableStatus,
    SumsDiffer,
)
from debt_service.ledger.receivables.store import RaisedReceivable
from debt_service.ledger.receivables.tables import Cancellation, Receivable

log = get_logger()

MARK_BATCH = 5_000

# What a source sends of a charge: the same again is no new one.
_CONTENT = (
    *("customer_id", "number", "department", "debt_type", "issued_on", "due_on", "net_pence", "gross_pence"),
    "replaces_id",
)

IndexedCharges = Sequence[tuple[int, NewReceivable]]


async def raise_receivables(session: AsyncSession, items: IndexedCharges, *, by: Actor, at: datetime) -> list[Outcome]:
    """Charge customers: rows, journal entries, history and events, set-based; each item has its own outcome."""
    items, outcomes = _sound(items, today=london_date(at))
    items, without_customer, holds = await _with_customers(session, items)
    outcomes += without_customer
    fresh, answered = await _split_known(session, items)
    outcomes += answered
    # Every request adds in one order: two with the same receivables wait for one another, never in a ring.
    prepared = [
        (index, store.prepared(new, new.customer_id, on_hold=holds[new.customer_id]))
        for index, new in sorted(fresh, key=lambda item: (item[1].source_system, item[1].source_reference))
        if new.customer_id is not None
    ]
    added = await store.insert_receivables(session, [raised for _, raised in prepared], at=at) if prepared else set()
    await _record_raised(session, [raised for _, raised in prepared if raised.id in added], by=by, at=at)
    outcomes += [Outcome(index, "created", raised.id) for index, raised in prepared if raised.id in added]
    # Not added: an equal item stands before it in this request, or another request was quicker. Look again.
    lost = [(index, raised.new) for index, raised in prepared if raised.id not in added]
    if lost:
        _, answered = await _split_known(session, lost)
        outcomes += answered
    return outcomes


def _sound(items: IndexedCharges, *, today: date) -> tuple[IndexedCharges, list[Outcome]]:
    """Items that add up and are not of the future, and the refusals of the others."""
    good: list[tuple[int, NewReceivable]] = []
    bad: list[Outcome] = []
    for index, new in items:
        total = sum(line["net_pence"] + line["vat_pence"] for line in new.lines)
        if total != new.gross_pence:
            bad.append(refused(index, SumsDiffer(total)))
        elif new.issued_on > today:
            bad.append(refused(index, DateInFuture("issued_on", today=today)))
        else:
            good.append((index, new))
    return good, bad


async def _with_customers(
    session: AsyncSession, items: IndexedCharges
) -> tuple[IndexedCharges, list[Outcome], dict[UUID, bool]]:
    """Items with their customers' ids, the refusals of unknown customers, and by id whether a customer is on hold."""
    keys = {new.customer_source for _, new in items if new.customer_source is not None}
    known = await rows_by_source(session, Customer, keys)
    named = []
    for index, new in items:
        customer = known.get(new.customer_source) if new.customer_source else None
        named.append((index, replace(new, customer_id=customer.id) if customer else new))
    ids = [new.customer_id for _, new in named if new.customer_id is not None]
    holds = await lock_customers_for_share(session, ids)
    good: list[tuple[int, NewReceivable]] = []
    bad: list[Outcome] = []
    for index, new in named:
        if new.customer_id in holds:
            good.append((index, new))
        else:
            bad.append(refused(index, unknown_customer("customer" if new.customer_source else "customer_id")))
    return good, bad, holds


async def _split_known(session: AsyncSession, items: IndexedCharges) -> tuple[IndexedCharges, list[Outcome]]:
    """Items that are new, and the outcomes of those whose source reference or number is known."""
    by_source, by_number = await store.receivables_like(session, [new for _, new in items])
    fresh: list[tuple[int, NewReceivable]] = []
    outcomes: list[Outcome] = []
    for index, new in items:
        known = by_source.get((new.source_system, new.source_reference))
        if known is not None and not (different := _different(known, new)):
            outcomes.append(Outcome(index, "existing", known.id))
        elif known is not None:
            taken = SourceReferenceTaken("receivable", record_id=known.id, fields=different)
            outcomes.append(refused(index, taken))
        elif new.number in by_number:
            outcomes.append(refused(index, NumberTaken()))
        else:
            fresh.append((index, new))
    return fresh, outcomes


def _different(known: Receivable, new: NewReceivable) -> list[str]:
    """The fields in which a receivable is not what its source sends now."""
    different = [name for name in _CONTENT if getattr(known, name) != getattr(new, name)]
    return different if known.lines == list(new.lines) else [*different, "lines"]


async def _record_raised(session: AsyncSession, raised: Sequence[RaisedReceivable], *, by: Actor, at: datetime) -> None:
    await post_entries(session, (_charge(receivable) for receivable in raised), by=by, at=at)
    await record_many(session, map(_raised, raised), by=by, at=at)


def _raised(receivable: RaisedReceivable) -> Change:
    new = receivable.new
    fields = {
        "customer_id": receivable.customer_id,
        "source": SourceReference(system=new.source_system, reference=new.source_reference),
        "number": new.number,
        "department": new.department,
        "debt_type": new.debt_type,
        "issued_on": new.issued_on,
        "due_on": new.due_on,
        "gross_pence": new.gross_pence,
        "replaces_id": new.replaces_id,
    }
    return Change("receivable", receivable.id, 1, "raised", ReceivableRaisedV1, fields=fields)


def _charge(raised: RaisedReceivable) -> Entry:
    lines = charge_lines(
        gross_pence=raised.new.gross_pence,
        vat_pence=raised.new.vat_pence,
        department=raised.new.department,
        customer_id=raised.customer_id,
        receivable_id=raised.id,
    )
    return entry(Fact.RECEIVABLE_RAISED, raised.id, raised.new.booked_on, lines)


async def credit_receivable(
    session: AsyncSession,
    receivable_id: UUID,
    *,
    pence: int | None,
    reason: CancelReason,
    note: str,
    replaced_by: str | None = None,
    by: Actor,
    at: datetime,
) -> Receivable:
    """Take back a part of what is outstanding by a credit note, or (None) all of it, which cancels the charge.

    `replaced_by` is the number of the charge that is raised in its place. Raises NotFound, OverCredited, and
    IllegalMove where nothing is outstanding.
    """
    receivable = await lock_row(session, Receivable, receivable_id)
    credited_pence, credited_vat_pence = await store.credited(session, receivable.id)
    item = OpenItem.of(receivable)
    gross, vat = item.credit(pence, credited_pence=credited_pence, credited_vat_pence=credited_vat_pence)
    receivable.status, receivable.outstanding_pence = item.status, item.outstanding_pence
    credit_note = Cancellation(
        id=new_id(),
        receivable_id=receivable.id,
        cancelled_on=london_date(at),
        amount_pence=gross,
        vat_pence=vat,
        reason=reason,
        cancelled_by=by.subject,
        cancelled_at=at,
    )
    is_whole = item.status == ReceivableStatus.CANCELLED
    detail: dict[str, Any] = {
        "cancelled_pence" if is_whole else "credited_pence": gross,
        "vat_pence": vat,
        "note": note,
    }
    if replaced_by is not None:
        detail["replaced_by"] = replaced_by
    credited = (
        fact(receivable, "cancelled", ReceivableCancelledV1, reason=reason, detail=detail, cancelled_pence=gross)
        if is_whole
        else fact(receivable, "credited", ReceivableCreditedV1, reason=reason, detail=detail, credited_pence=gross)
    )
    await record(session, credited, also=[credit_note], by=by, at=at)
    lines = charge_lines(
        gross_pence=-gross,
        vat_pence=-vat,
        department=receivable.department,
        customer_id=receivable.customer_id,
        receivable_id=receivable.id,
    )
    posted = Fact.RECEIVABLE_CANCELLED if is_whole else Fact.RECEIVABLE_CREDITED
    await post_entries(session, [entry(posted, credit_note.id, credit_note.cancelled_on, lines)], by=by, at=at)
    log.info("receivable_credited", receivable_id=str(receivable.id), credited_pence=gross, cancelled=is_whole)
    return receivable


def overdue(item: OpenItem) -> Change:
    """Recorded once, when a receivable first becomes overdue."""
    fields = {"customer_id": item.customer_id, "due_on": item.due_on, "outstanding_pence": item.outstanding_pence}
    return Change("receivable", item.id, item.version, "overdue", ReceivableOverdueV1, fields=fields)


async def mark_overdue(session: AsyncSession, *, as_at: date, by: Actor, at: datetime) -> int:
    """Mark every open receivable whose due date is before `as_at`, once; returns how many. Raises DateInFuture."""
    not_in_future("as_at", as_at, today=london_date(at))
    total = 0
    async for marked in store.mark_overdue(session, as_at=as_at, batch=MARK_BATCH):
        await record_many(session, map(overdue, marked), by=by, at=at)
        total += len(marked)
    return total
