"""Placing and releasing holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.debts import HoldPlacedV1, HoldReleasedV1
from council_common.database.rows import get_row, lock_row
from council_common.holds import ReleaseReason, must_stand
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import Change, fact, record, record_many
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.arrangements.holds import store
from debt_service.arrangements.holds.rules import (
    NewHold,
    NothingOwed,
    check_dates,
    holds_all,
    published_category,
    shown_note,
)
from debt_service.arrangements.holds.store import HeldReceivable
from debt_service.arrangements.holds.tables import Hold
from debt_service.ledger.customers.tables import Customer
from debt_service.ledger.receivables.store import lock_open_item
from debt_service.ledger.receivables.tables import Receivable


async def place_hold(session: AsyncSession, new: NewHold, *, by: Actor, at: datetime) -> Hold:
    """Stop notices about one receivable, or about everything of a customer; one event for each receivable.

    Raises DateTooEarly, DatesOutOfOrder, LastDay, NothingOwed and NotFound.
    """
    today = london_date(at)
    check_dates(new, today=today)
    hold = Hold(
        id=new_id(),
        version=0,
        customer_id=await _lock_customer_of(session, new),
        receivable_id=new.receivable_id,
        reason=new.reason,
        note=new.note,
        owner=new.owner,
        placed_on=today,
        review_on=new.review_on,
        ends_on=new.ends_on,
        placed_by=by.subject,
        placed_by_name=by.name,
        placed_at=at,
    )
    reached = await store.lock_reached(session, hold)
    await record(
        session,
        fact(hold, "placed", reason=hold.reason, detail={"note": shown_note(hold.reason, hold.note)}),
        by=by,
        at=at,
    )
    held = await store.mark_reached(session, hold, reached)
    changes = (
        _on_receivable(hold, receivable, "hold placed", HoldPlacedV1, review_on=hold.review_on) for receivable in held
    )
    await record_many(session, changes, by=by, at=at)
    return hold


def _on_receivable(
    hold: Hold,
    receivable: HeldReceivable,
    action: str,
    event: type[HoldPlacedV1 | HoldReleasedV1],
    **fields: Any,
) -> Change:
    """A hold's fact as one about a receivable it reaches, with its event."""
    detail = {"hold_id": hold.id}
    fields |= {"customer_id": receivable.customer_id, "hold_id": hold.id, "kind": published_category(hold.reason)}
    about = receivable.receivable_id, receivable.version
    return Change("receivable", *about, action, event, hold.reason, detail, fields=fields)


async def _lock_customer_of(session: AsyncSession, new: NewHold) -> UUID:
    """The customer a hold is about; where it holds all of the customer, nothing is raised until we commit."""
    if new.receivable_id is None:
        if new.customer_id is None:
            raise ValueError("a hold names a receivable or a customer")
        return (await lock_row(session, Customer, new.customer_id)).id
    if holds_all(new.reason, receivable_id=new.receivable_id):
        customer_id = (await get_row(session, Receivable, new.receivable_id)).customer_id
        return (await lock_row(session, Customer, customer_id)).id
    item = await lock_open_item(session, new.receivable_id)
    if item.outstanding_pence == 0:
        raise NothingOwed(f"Receivable {item.number} is {item.status}: there is nothing to hold.")
    return item.customer_id


async def release_hold(
    session: AsyncSession, hold_id: UUID, *, reason: ReleaseReason, note: str, by: Actor, at: datetime
) -> Hold:
    """End a hold; what another hold still reaches stays held. Raises NotFound, HoldReleased."""
    hold = await get_row(session, Hold, hold_id)
    if holds_all(hold.reason, receivable_id=hold.receivable_id):
        await lock_row(session, Customer, hold.customer_id)
    reached = await store.lock_reached(session, hold)
    hold = await lock_row(session, Hold, hold_id)
    must_stand(hold)
    hold.released_by, hold.released_by_name, hold.released_at = by.subject, by.name, at
    hold.release_reason, hold.release_note = reason, note
    detail = {"note": shown_note(hold.reason, note)}
    await record(session, fact(hold, "released", reason=reason, detail=detail), by=by, at=at)
    held = await store.mark_reached(session, hold, reached)
    changes = (_on_receivable(hold, receivable, "hold released", HoldReleasedV1) for receivable in held)
    await record_many(session, changes, by=by, at=at)
    return hold


async def read_health_notes(session: AsyncSession, hold_id: UUID, *, by: Actor, at: datetime) -> Hold:
    """A hold with its words, which may be about health: who read them, and when, is in its history."""
    hold = await lock_row(session, Hold, hold_id)
    await record(session, fact(hold, "health notes read"), by=by, at=at)
    return hold
