"""Every query about holds, and the marks they leave on receivables and customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from council_common.database.sessions import driver
from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.arrangements.holds.rules import HoldNotFound
from debt_service.arrangements.holds.tables import Hold
from debt_service.ledger.receivables.tables import Receivable

# The kind of the hold that stops a letter about receivable `r` on a day (`rules.in_force`), the debt's own before its
# customer's; null where there is none.
KIND_IN_FORCE = """
(SELECT hold.kind FROM hold
 WHERE hold.released_at IS NULL AND hold.ends_on >= {as_at}
   AND (hold.receivable_id = r.id OR (hold.customer_id = r.customer_id AND hold.receivable_id IS NULL))
 ORDER BY hold.receivable_id IS NULL, hold.placed_at, hold.id LIMIT 1)
"""

# Every receivable it reaches carries the mark, so that one that is reopened is still held; only what is owed
# has a new version, because only that is told.
_MARK_RECEIVABLES = """
UPDATE receivable SET
    on_hold = EXISTS (SELECT FROM hold WHERE hold.released_at IS NULL AND (hold.receivable_id = receivable.id
        OR (hold.customer_id = receivable.customer_id AND hold.receivable_id IS NULL))),
    version = version + (outstanding_pence > 0)::integer
WHERE id = ANY($1::uuid[])
RETURNING id, customer_id, version, outstanding_pence > 0 AS owed
"""

_MARK_CUSTOMER = """
UPDATE customer SET on_hold = EXISTS (SELECT FROM hold WHERE released_at IS NULL AND receivable_id IS NULL
                                      AND hold.customer_id = customer.id)
WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A receivable with something owed that a hold reaches, at its new version."""

    receivable_id: UUID
    customer_id: UUID
    version: int


async def lock_reached(session: AsyncSession, hold: Hold) -> list[UUID]:
    """Lock, in the order of their ids, the receivables a hold reaches."""
    statement = select(col(Receivable.id)).order_by(col(Receivable.id)).with_for_update()
    if hold.receivable_id is not None:
        statement = statement.where(col(Receivable.id) == hold.receivable_id)
    else:
        statement = statement.where(col(Receivable.customer_id) == hold.customer_id)
    return list(await session.scalars(statement))


async def mark_reached(session: AsyncSession, hold: Hold, receivable_ids: Sequence[UUID]) -> list[Held]:
    """Bring the marks of receivables (and of the customer) in line with the holds there are."""
    await session.flush()
    connection = await driver(session)
    if hold.receivable_id is None:
        await connection.execute(_MARK_CUSTOMER, hold.customer_id)
    rows = await connection.fetch(_MARK_RECEIVABLES, receivable_ids)
    return [Held(row["id"], row["customer_id"], row["version"]) for row in rows if row["owed"]]


async def get_hold(session: AsyncSession, hold_id: UUID, *, lock: bool = False) -> Hold:
    """One hold; raises HoldNotFound."""
    hold = await session.get(Hold, hold_id, with_for_update=lock or None, populate_existing=True)
    if hold is None:
        raise HoldNotFound("There is no hold with this id.")
    return hold


async def ended_holds(session: AsyncSession, *, today: date, limit: int) -> list[UUID]:
    """Holds whose last day is over and that nobody released."""
    rows = await session.scalars(
        select(col(Hold.id))
        .where(col(Hold.released_at).is_(None), col(Hold.ends_on) < today)
        .order_by(col(Hold.id))
        .limit(limit)
    )
    return list(rows)


def holds_where(
    *,
    customer_id: UUID | None,
    receivable_id: UUID | None,
    kind: str | None,
    owner: str | None,
    released: bool | None,
    review_before: date | None,
) -> Select[Any]:
    """The list of holds, filtered; a receivable's include those on its customer."""
    statement: Select[Any] = select(Hold)
    if customer_id is not None:
        statement = statement.where(col(Hold.customer_id) == customer_id)
    if receivable_id is not None:
        owner_of_it = select(col(Receivable.customer_id)).where(col(Receivable.id) == receivable_id).scalar_subquery()
        on_its_customer = col(Hold.receivable_id).is_(None) & (col(Hold.customer_id) == owner_of_it)
        statement = statement.where(or_(col(Hold.receivable_id) == receivable_id, on_its_customer))
    if kind is not None:
        statement = statement.where(col(Hold.kind) == kind)
    if owner is not None:
        statement = statement.where(col(Hold.owner) == owner)
    if released is not None:
        is_released = col(Hold.released_at).is_not(None)
        statement = statement.where(is_released if released else ~is_released)
    if review_before is not None:
        statement = statement.where(col(Hold.review_on) < review_before)
    return statement
