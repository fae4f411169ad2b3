"""Placing and releasing holds."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.debts import HoldPlacedV1, HoldReleasedV1
from council_common.identity.actor import Actor
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.arrangements.holds import store
from debt_service.arrangements.holds.rules import HoldReleased, NewHold, NothingOwed, check_dates, published_category
from debt_service.arrangements.holds.tables import Hold
from debt_service.ledger.customers.store import lock_customer
from debt_service.ledger.receivables.store import lock_open_item
from debt_service.records import Change, write_changes, write_events


async def place_hold(session: AsyncSession, new: NewHold, *, by: Actor, at: datetime) -> Hold:
    """Stop notices about one receivable, or about everything of a customer; one event for each receivable.

    Raises HoldDates, NothingOwed, ReceivableNotFound or CustomerNotFound.
    """
    today = london_date(at)
    check_dates(new, today=today)
    hold = Hold(
        id=new_id(),
        version=1,
        customer_id=await _lock_customer_of(session, new),
        receivable_id=new.receivable_id,
        kind=new.kind,
        reason=new.reason,
        owner=new.owner,
        placed_on=today,
        review_on=new.review_on,
        ends_on=new.ends_on,
        placed_by=by.subject,
        placed_at=at,
    )
    reached = await store.lock_reached(session, hold)
    session.add(hold)
    held = await store.mark_reached(session, hold, reached)
    changes = [Change("hold", hold.id, 1, "placed", new.reason)]
    changes += [
        Change("receivable", receivable.receivable_id, receivable.version, f"hold_placed:{hold.kind}")
        for receivable in held
    ]
    await write_changes(session, changes, by=by, at=at)
    await write_events(
        session,
        (
            HoldPlacedV1(
                version=receivable.version,
                occurred_at=at,
                by=by.subject,
                receivable_id=receivable.receivable_id,
                customer_id=receivable.customer_id,
                hold_id=hold.id,
                kind=published_category(hold.kind),
                review_on=hold.review_on,
            )
            for receivable in held
        ),
    )
    return hold


async def _lock_customer_of(session: AsyncSession, new: NewHold) -> UUID:
    """The customer a hold is about; where it holds all of the customer, nothing is raised until we commit."""
    if new.receivable_id is None:
        if new.customer_id is None:
            raise ValueError("a hold names a receivable or a customer")
        return (await lock_customer(session, new.customer_id)).id
    item = await lock_open_item(session, new.receivable_id)
    if item.outstanding_pence == 0:
        raise NothingOwed(f"Receivable {item.number} is {item.status}: there is nothing to hold.")
    return item.customer_id


async def release_hold(session: AsyncSession, hold_id: UUID, *, reason: str, by: Actor, at: datetime) -> Hold:
    """End a hold; what another hold still reaches stays held. Raises HoldNotFound, HoldReleased."""
    hold = await store.get_hold(session, hold_id)
    if hold.receivable_id is None:
        await lock_customer(session, hold.customer_id)
    reached = await store.lock_reached(session, hold)
    hold = await store.get_hold(session, hold_id, lock=True)
    if hold.released_at is not None:
        raise HoldReleased("This hold was released before.")
    hold.released_at, hold.released_by, hold.release_reason = at, by.subject, reason
    hold.version += 1
    held = await store.mark_reached(session, hold, reached)
    changes = [Change("hold", hold.id, hold.version, "released", reason)]
    changes += [
        Change("receivable", receivable.receivable_id, receivable.version, f"hold_released:{hold.kind}")
        for receivable in held
    ]
    await write_changes(session, changes, by=by, at=at)
    await write_events(
        session,
        (
            HoldReleasedV1(
                version=receivable.version,
                occurred_at=at,
                by=by.subject,
                receivable_id=receivable.receivable_id,
                customer_id=receivable.customer_id,
                hold_id=hold.id,
                kind=published_category(hold.kind),
            )
            for receivable in held
        ),
    )
    return hold
