"""Raising, cancelling and marking receivables overdue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.debts import ReceivableCancelledV1, ReceivableOverdueV1, ReceivableRaisedV1
from council_common.contracts.fields import SourceReference
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.observability.logs import get_logger
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.bulk import Outcome, SourceReused, refused
from debt_service.ledger.customers.rules import unknown_customer
from debt_service.ledger.customers.store import customers_by_source, lock_customers_for_share
from debt_service.ledger.journal.rules import Entry, Fact, charge_lines, entry
from debt_service.ledger.journal.store import post_entries
from debt_service.ledger.receivables import store
from debt_service.ledger.receivables.rules import (
    CancelReason,
    FutureDate,
    NewReceivable,
    NumberTaken,
    OpenItem,
    not_in_future,
)
from debt_service.ledger.receivables.store import RaisedReceivable
from debt_service.ledger.receivables.tables import Cancellation, Receivable
from debt_service.records import Change, write_changes, write_events

log = get_logger()

MARK_BATCH = 5_000

NumberedCharges = Sequence[tuple[int, NewReceivable]]


async def raise_receivables(session: AsyncSession, lines: NumberedCharges, *, by: Actor, at: datetime) -> list[Outcome]:
    """Charge customers: rows, journal entries, history and events, set-based; each line has its own outcome."""
    lines, outcomes = _without_future(lines, today=london_date(at))
    lines, without_customer, holds = await _with_customers(session, lines)
    outcomes += without_customer
    fresh, answered = await _split_known(session, lines)
    outcomes += answered
    # Every request adds in one order: two with the same receivables wait for one another, never in a ring.
    prepared = [
        (line, store.prepared(new, new.customer_id, on_hold=holds[new.customer_id]))
        for line, new in sorted(fresh, key=lambda charge: (charge[1].system, charge[1].reference))
        if new.customer_id is not None
    ]
    added = await store.insert_receivables(session, [raised for _, raised in prepared], at=at) if prepared else set()
    await _record_raised(session, [raised for _, raised in prepared if raised.id in added], by=by, at=at)
    outcomes += [Outcome(line, "created", raised.id) for line, raised in prepared if raised.id in added]
    # Not added: an equal line stands before it in this request, or another request was quicker. Look again.
    lost = [(line, raised.new) for line, raised in prepared if raised.id not in added]
    if lost:
        _, answered = await _split_known(session, lost)
        outcomes += answered
    return outcomes


def _without_future(lines: NumberedCharges, *, today: date) -> tuple[NumberedCharges, list[Outcome]]:
    early = [refused(line, FutureDate.of("issued_on", today=today)) for line, new in lines if new.issued_on > today]
    return [(line, new) for line, new in lines if new.issued_on <= today], early


async def _with_customers(
    session: AsyncSession, lines: NumberedCharges
) -> tuple[NumberedCharges, list[Outcome], dict[UUID, bool]]:
    """Lines with their customers' ids, the refusals of unknown customers, and by id whether a customer is on hold."""
    keys = {new.customer_source for _, new in lines if new.customer_source is not None}
    known = await customers_by_source(session, keys) if keys else {}
    found = []
    for line, new in lines:
        customer = known.get(new.customer_source) if new.customer_source else None
        found.append((line, new, customer.id if customer else new.customer_id))
    holds = await lock_customers_for_share(
        session, [customer_id for _, _, customer_id in found if customer_id is not None]
    )
    good: list[tuple[int, NewReceivable]] = []
    bad: list[Outcome] = []
    for line, new, customer_id in found:
        if customer_id in holds:
            good.append((line, _of_customer(new, customer_id)))
        else:
            name = "customer" if new.customer_source else "customer_id"
            bad.append(refused(line, unknown_customer(name)))
    return good, bad, holds


def _of_customer(new: NewReceivable, customer_id: UUID | None) -> NewReceivable:
    return NewReceivable(
        **{name: getattr(new, name) for name in NewReceivable.__slots__} | {"customer_id": customer_id}
    )


async def _split_known(session: AsyncSession, lines: NumberedCharges) -> tuple[NumberedCharges, list[Outcome]]:
    """Lines that are new, and the outcomes of those whose source reference or number is known."""
    by_source, by_number = await store.receivables_like(session, [new for _, new in lines])
    fresh: list[tuple[int, NewReceivable]] = []
    outcomes: list[Outcome] = []
    for line, new in lines:
        known = by_source.get((new.system, new.reference))
        if known is not None and _has_same_content(known, new):
            outcomes.append(Outcome(line, "existing", known.id))
        elif known is not None:
            outcomes.append(refused(line, SourceReused()))
        elif new.number in by_number:
            outcomes.append(refused(line, NumberTaken()))
        else:
            fresh.append((line, new))
    return fresh, outcomes


def _has_same_content(known: Receivable, new: NewReceivable) -> bool:
    same = ("customer_id", "number", "department", "debt_type", "issued_on", "due_on", "net_pence", "gross_pence")
    return all(getattr(known, name) == getattr(new, name) for name in same) and known.lines == list(new.lines)


async def _record_raised(session: AsyncSession, raised: Sequence[RaisedReceivable], *, by: Actor, at: datetime) -> None:
    await post_entries(session, (_charge(receivable) for receivable in raised), by=by.subject, at=at)
    await write_changes(
        session, (Change("receivable", receivable.id, 1, "raised") for receivable in raised), by=by, at=at
    )
    await write_events(
        session,
        (
            ReceivableRaisedV1(
                version=1,
                occurred_at=at,
                by=by.subject,
                receivable_id=receivable.id,
                customer_id=receivable.customer_id,
                source=SourceReference(system=receivable.new.system, reference=receivable.new.reference),
                number=receivable.new.number,
                department=receivable.new.department,
                debt_type=receivable.new.debt_type,
                issued_on=receivable.new.issued_on,
                due_on=receivable.new.due_on,
                gross_pence=receivable.new.gross_pence,
            )
            for receivable in raised
        ),
    )


def _charge(raised: RaisedReceivable) -> Entry:
    lines = charge_lines(
        gross_pence=raised.new.gross_pence,
        vat_pence=raised.new.vat_pence,
        department=raised.new.department,
        customer_id=raised.customer_id,
        receivable_id=raised.id,
    )
    return entry(Fact.RECEIVABLE_RAISED, raised.id, raised.new.issued_on, lines)


async def cancel_receivable(
    session: AsyncSession, receivable_id: UUID, *, reason: CancelReason, note: str | None, by: Actor, at: datetime
) -> None:
    """Cancel what is outstanding by a credit note; raises IllegalMove where nothing is."""
    item = await store.lock_open_item(session, receivable_id)
    credited_pence, credited_vat_pence = await store.credited(session, item.id)
    gross, vat = item.cancel(credited_pence=credited_pence, credited_vat_pence=credited_vat_pence)
    credit_note = Cancellation(
        id=new_id(),
        receivable_id=item.id,
        cancelled_on=london_date(at),
        amount_pence=gross,
        vat_pence=vat,
        reason=reason,
        cancelled_by=by.subject,
        cancelled_at=at,
    )
    session.add(credit_note)
    await session.flush()
    await store.save_open_items(session, [item])
    lines = charge_lines(
        gross_pence=-gross,
        vat_pence=-vat,
        department=item.department,
        customer_id=item.customer_id,
        receivable_id=item.id,
    )
    posting = entry(Fact.RECEIVABLE_CANCELLED, credit_note.id, credit_note.cancelled_on, lines)
    await post_entries(session, [posting], by=by.subject, at=at)
    detail = {"reason": reason, "cancelled_pence": gross, "vat_pence": vat}
    change = Change("receivable", item.id, item.version, "cancelled", note or reason, detail)
    await write_changes(session, [change], by=by, at=at)
    event = ReceivableCancelledV1(
        version=item.version,
        occurred_at=at,
        by=by.subject,
        receivable_id=item.id,
        customer_id=item.customer_id,
        cancelled_pence=gross,
        reason=reason,
    )
    await write_events(session, [event])
    log.info("receivable_cancelled", receivable_id=str(item.id), cancelled_pence=gross)


def overdue_event(item: OpenItem, *, by: Actor, at: datetime) -> ReceivableOverdueV1:
    """DeliveryReport once, when a receivable first becomes overdue."""
    return ReceivableOverdueV1(
        version=item.version,
        occurred_at=at,
        by=by.subject,
        receivable_id=item.id,
        customer_id=item.customer_id,
        due_on=item.due_on,
        outstanding_pence=item.outstanding_pence,
    )


async def mark_overdue(session: AsyncSession, *, as_at: date, by: Actor, at: datetime) -> int:
    """Mark every open receivable whose due date is before `as_at`, once; returns how many. Raises FutureDate."""
    not_in_future("as_at", as_at, today=london_date(at))
    total = 0
    async for marked in store.mark_overdue(session, as_at=as_at, batch=MARK_BATCH):
        changes = (Change("receivable", item.id, item.version, "overdue") for item in marked)
        await write_changes(session, changes, by=by, at=at)
        await write_events(session, (overdue_event(item, by=by, at=at) for item in marked))
        total += len(marked)
    return total
