"""The statements on holds, and on the marks they leave on receivables and customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, ScalarSelect, Uuid, and_, any_, cast, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.arrangements.holds.rules import OF_THE_PERSON, HoldReason, holds_all
from debt_service.arrangements.holds.tables import HOLDS_ALL, Hold
from debt_service.ledger.customers.tables import Customer
from debt_service.ledger.receivables.tables import Receivable

# `reason_in_force` for set-based statements: of receivable `r`, on a day. Two look-ups, each by its index: with an OR
# between them it costs five times as much.
_OF_THE_PERSON = ", ".join(f"'{reason}'" for reason in sorted(OF_THE_PERSON))
_HOLDS_ALL = f"(hold.receivable_id IS NULL OR hold.reason IN ({_OF_THE_PERSON}))"
REASON_IN_FORCE = f"""
coalesce(
    (SELECT hold.reason FROM hold
     WHERE hold.released_at IS NULL AND coalesce(hold.ends_on >= {{as_at}}, true) AND hold.receivable_id = r.id
     ORDER BY hold.placed_at, hold.id LIMIT 1),
    (SELECT hold.reason FROM hold
     WHERE hold.released_at IS NULL AND coalesce(hold.ends_on >= {{as_at}}, true) AND hold.customer_id = r.customer_id
         AND {_HOLDS_ALL}
     ORDER BY hold.placed_at, hold.id LIMIT 1)
)
"""


@dataclass(frozen=True, slots=True)
class HeldReceivable:
    """A receivable with something owed that a hold reaches, at its new version."""

    receivable_id: UUID
    customer_id: UUID
    version: int


def reason_in_force(as_at: date) -> ScalarSelect[Any]:
    """The reason of the hold that stops notices about a receivable on a day (`rules.in_force`).

    The receivable's own hold comes before its customer's; NULL where there is none.
    """
    is_another = func.coalesce(col(Hold.receivable_id) != col(Receivable.id), True)
    return (
        select(col(Hold.reason))
        .where(_in_force(as_at), _reaches_receivable())
        .order_by(is_another, col(Hold.placed_at), col(Hold.id))
        .limit(1)
        .correlate(Receivable)
        .scalar_subquery()
    )


def _in_force(as_at: date) -> ColumnElement[bool]:
    return and_(col(Hold.released_at).is_(None), or_(col(Hold.ends_on).is_(None), col(Hold.ends_on) >= as_at))


def _reaches_receivable() -> ColumnElement[bool]:
    on_its_customer = (col(Hold.customer_id) == col(Receivable.customer_id)) & HOLDS_ALL
    return or_(col(Hold.receivable_id) == col(Receivable.id), on_its_customer)


async def disputed(session: AsyncSession, receivable_ids: Iterable[UUID], *, as_at: date) -> set[UUID]:
    """Those of some receivables that are in dispute on a day, by a hold of their own or of their customer's."""
    ids = any_(literal(sorted(set(receivable_ids)), ARRAY(Uuid)))
    in_dispute = (
        select(col(Hold.id))
        .where(_in_force(as_at), col(Hold.reason) == HoldReason.DISPUTE, _reaches_receivable())
        .correlate(Receivable)
        .exists()
    )
    found = await session.scalars(
        select(col(Receivable.id)).where(col(Receivable.id) == ids, col(Receivable.on_hold), in_dispute)
    )
    return set(found)


async def lock_reached(session: AsyncSession, hold: Hold) -> list[UUID]:
    """Lock, in the order of their ids, the receivables a hold reaches."""
    statement = select(col(Receivable.id)).order_by(col(Receivable.id)).with_for_update()
    if holds_all(hold.reason, receivable_id=hold.receivable_id):
        statement = statement.where(col(Receivable.customer_id) == hold.customer_id)
    else:
        statement = statement.where(col(Receivable.id) == hold.receivable_id)
    return list(await session.scalars(statement))


async def mark_reached(session: AsyncSession, hold: Hold, receivable_ids: Sequence[UUID]) -> list[HeldReceivable]:
    """Bring the marks of receivables (and of the customer) in line with the holds that are stored.

    Every receivable carries the mark, so that one that is reopened is still held. Only those with something owed get a
    new version and are returned: only they have an event.
    """
    if holds_all(hold.reason, receivable_id=hold.receivable_id):
        await _mark_customer(session, hold.customer_id)
    standing = select(col(Hold.id)).where(col(Hold.released_at).is_(None), _reaches_receivable())
    is_owed = col(Receivable.outstanding_pence) > 0
    marked = await session.execute(
        update(Receivable)
        .where(col(Receivable.id) == any_(literal(receivable_ids, ARRAY(Uuid))))
        .values(
            on_hold=standing.correlate(Receivable).exists(), version=col(Receivable.version) + cast(is_owed, Integer)
        )
        .returning(col(Receivable.id), col(Receivable.customer_id), col(Receivable.version), is_owed.label("is_owed"))
        .execution_options(synchronize_session=False)
    )
    return [HeldReceivable(row.id, row.customer_id, row.version) for row in marked if row.is_owed]


async def _mark_customer(session: AsyncSession, customer_id: UUID) -> None:
    on_customer = (
        select(col(Hold.id))
        .where(col(Hold.released_at).is_(None), HOLDS_ALL, col(Hold.customer_id) == col(Customer.id))
        .correlate(Customer)
        .exists()
    )
    await session.execute(
        update(Customer)
        .where(col(Customer.id) == customer_id)
        .values(on_hold=on_customer)
        .execution_options(synchronize_session=False)
    )


async def ended_holds(session: AsyncSession, *, today: date, limit: int) -> list[UUID]:
    """Holds whose last day is over and that are not released."""
    rows = await session.scalars(
        select(col(Hold.id))
        .where(col(Hold.released_at).is_(None), col(Hold.ends_on) < today)
        .order_by(col(Hold.id))
        .limit(limit)
    )
    return list(rows)
