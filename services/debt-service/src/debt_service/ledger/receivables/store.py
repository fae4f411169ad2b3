"""Every query about receivables."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.database.sessions import driver
from council_common.ids import new_id
from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.ledger.receivables.rules import NewReceivable, OpenItem, ReceivableNotFound, ReceivableStatus
from debt_service.ledger.receivables.tables import Cancellation, Receivable

_OPEN_ITEM = [field.name for field in fields(OpenItem) if field.name != "last_paid_on"]

_INSERT = """
INSERT INTO receivable (id, version, customer_id, system, reference, number, department, debt_type, issued_on, due_on,
    lines, net_pence, vat_pence, gross_pence, outstanding_pence, status, on_hold, dunning_level, created_at)
SELECT id, 1, customer_id, system, reference, number, department, debt_type, issued_on, due_on,
    lines::jsonb, net, vat, gross, gross, 'open', on_hold, 0, $15
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[],
            $9::date[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::boolean[])
     AS new (id, customer_id, system, reference, number, department, debt_type, issued_on, due_on, lines,
             net, vat, gross, on_hold)
ON CONFLICT DO NOTHING
RETURNING id
"""

_SAVE = """
UPDATE receivable SET version = new.version, outstanding_pence = new.outstanding, status = new.status,
    overdue_on = new.overdue_on, settled_on = new.settled_on
FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::text[], $5::date[], $6::date[])
     AS new (id, version, outstanding, status, overdue_on, settled_on)
WHERE receivable.id = new.id
"""

_MARK = f"""
WITH due AS (
    SELECT id FROM receivable WHERE status = 'open' AND due_on < $1 ORDER BY id FOR UPDATE
)
UPDATE receivable SET status = 'overdue', overdue_on = due_on + 1, version = version + 1
FROM due WHERE receivable.id = due.id
RETURNING {", ".join(f"receivable.{name}" for name in _OPEN_ITEM)}
"""


@dataclass(frozen=True, slots=True)
class RaisedReceivable:
    """A new receivable as it is inserted: its id, whose it is, and whether the customer is on hold."""

    id: UUID
    customer_id: UUID
    on_hold: bool
    new: NewReceivable


async def insert_receivables(session: AsyncSession, raised: Sequence[RaisedReceivable], *, at: datetime) -> set[UUID]:
    """Add those whose source reference and number are new; returns the ids added. A racing insert is waited for."""
    connection = await driver(session)
    rows = await connection.fetch(
        _INSERT,
        [each.id for each in raised],
        [each.customer_id for each in raised],
        [each.new.system for each in raised],
        [each.new.reference for each in raised],
        [each.new.number for each in raised],
        [each.new.department for each in raised],
        [each.new.debt_type for each in raised],
        [each.new.issued_on for each in raised],
        [each.new.due_on for each in raised],
        [json.dumps(each.new.lines) for each in raised],
        [each.new.net_pence for each in raised],
        [each.new.vat_pence for each in raised],
        [each.new.gross_pence for each in raised],
        [each.on_hold for each in raised],
        at,
    )
    return {row["id"] for row in rows}


def prepared(new: NewReceivable, customer_id: UUID, *, on_hold: bool) -> RaisedReceivable:
    """A new receivable with its id."""
    return RaisedReceivable(new_id(), customer_id, on_hold, new)


async def receivables_like(
    session: AsyncSession, new: Sequence[NewReceivable]
) -> tuple[dict[tuple[str, str], Receivable], dict[str, Receivable]]:
    """The receivables that have one of these source references or numbers: by source, and by number."""
    by_source = tuple_(col(Receivable.system), col(Receivable.reference)).in_(
        [(each.system, each.reference) for each in new]
    )
    by_number = col(Receivable.number).in_([each.number for each in new])
    found = (await session.scalars(select(Receivable).where(or_(by_source, by_number)))).all()
    return {(each.system, each.reference): each for each in found}, {each.number: each for each in found}


async def get_receivable(session: AsyncSession, receivable_id: UUID) -> Receivable:
    """One receivable as the database has it now; raises ReceivableNotFound."""
    receivable = await session.get(Receivable, receivable_id, populate_existing=True)
    if receivable is None:
        raise ReceivableNotFound("There is no receivable with this id.")
    return receivable


async def lock_open_items(session: AsyncSession, receivable_ids: Iterable[UUID]) -> dict[UUID, OpenItem]:
    """What is owed on these, rows locked in the order of their ids: two writers wait, never in a ring."""
    connection = await driver(session)
    rows = await connection.fetch(
        f"SELECT {', '.join(_OPEN_ITEM)} FROM receivable WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE",
        sorted(set(receivable_ids)),
    )
    return {row["id"]: _open_item(row) for row in rows}


async def lock_open_item(session: AsyncSession, receivable_id: UUID) -> OpenItem:
    """What is owed on one, its row locked; raises ReceivableNotFound."""
    owed = await lock_open_items(session, [receivable_id])
    if not owed:
        raise ReceivableNotFound("There is no receivable with this id.")
    return owed[receivable_id]


async def save_open_items(session: AsyncSession, owed: Sequence[OpenItem]) -> None:
    """Write back what changed while the rows were locked."""
    connection = await driver(session)
    await connection.execute(
        _SAVE,
        [each.id for each in owed],
        [each.version for each in owed],
        [each.outstanding_pence for each in owed],
        [each.status for each in owed],
        [each.overdue_on for each in owed],
        [each.settled_on for each in owed],
    )


async def mark_overdue(session: AsyncSession, *, as_at: date, batch: int) -> AsyncIterator[list[OpenItem]]:
    """Move the open receivables whose due date passed before that day: one statement, its answer in batches."""
    connection = await driver(session)
    cursor = await connection.cursor(_MARK, as_at)
    while rows := await cursor.fetch(batch):
        yield [_open_item(row) for row in rows]


async def ids_by_number(session: AsyncSession, numbers: Iterable[str]) -> dict[str, tuple[UUID, UUID]]:
    """The ids of receivables, and of their customers, by their numbers."""
    wanted = col(Receivable.number).in_(sorted(set(numbers)))
    rows = await session.execute(
        select(col(Receivable.number), col(Receivable.id), col(Receivable.customer_id)).where(wanted)
    )
    return {row.number: (row.id, row.customer_id) for row in rows}


async def credited(session: AsyncSession, receivable_id: UUID) -> tuple[int, int]:
    """What credit notes have taken back of one receivable: gross and VAT."""
    row = (
        await session.execute(
            select(
                func.coalesce(func.sum(col(Cancellation.amount_pence)), 0),
                func.coalesce(func.sum(col(Cancellation.vat_pence)), 0),
            ).where(col(Cancellation.receivable_id) == receivable_id)
        )
    ).one()
    return int(row[0]), int(row[1])


async def open_ids_of(session: AsyncSession, customer_ids: Iterable[UUID]) -> list[UUID]:
    """The receivables of these customers on which something is owed."""
    rows = await session.scalars(
        select(col(Receivable.id)).where(
            col(Receivable.customer_id).in_(sorted(set(customer_ids))),
            col(Receivable.status).in_([ReceivableStatus.OPEN, ReceivableStatus.OVERDUE]),
        )
    )
    return list(rows)


def _open_item(row: Any) -> OpenItem:
    values = dict(row)
    return OpenItem(**{**values, "status": ReceivableStatus(values["status"])})


@dataclass(frozen=True, slots=True)
class ReceivableFilter:
    """What a list of receivables is narrowed to."""

    ids: Sequence[UUID] = ()
    customer_id: UUID | None = None
    number: str | None = None
    status: ReceivableStatus | None = None
    overdue_as_at: date | None = None
    department: str | None = None
    debt_type: str | None = None
    due_from: date | None = None
    due_to: date | None = None
    min_outstanding_pence: int | None = None
    max_outstanding_pence: int | None = None
    level: int | None = None
    on_hold: bool | None = None


def narrowed(statement: Select[Any], wanted: ReceivableFilter) -> Select[Any]:
    """A statement over receivables, narrowed to what is wanted."""
    row = Receivable
    equal = {
        col(row.customer_id): wanted.customer_id,
        col(row.number): wanted.number,
        col(row.status): wanted.status,
        col(row.department): wanted.department,
        col(row.debt_type): wanted.debt_type,
        col(row.dunning_level): wanted.level,
        col(row.on_hold): wanted.on_hold,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    if wanted.ids:
        conditions.append(col(row.id).in_(wanted.ids))
    if wanted.overdue_as_at is not None:
        conditions += [col(row.outstanding_pence) > 0, col(row.due_on) < wanted.overdue_as_at]
    if wanted.due_from is not None:
        conditions.append(col(row.due_on) >= wanted.due_from)
    if wanted.due_to is not None:
        conditions.append(col(row.due_on) <= wanted.due_to)
    if wanted.min_outstanding_pence is not None:
        conditions.append(col(row.outstanding_pence) >= wanted.min_outstanding_pence)
    if wanted.max_outstanding_pence is not None:
        conditions.append(col(row.outstanding_pence) <= wanted.max_outstanding_pence)
    return statement.where(*conditions)


async def values_instead_of(session: AsyncSession, column: str, value: str) -> list[str] | None:
    """None when some debt has this value of a column; else the values there are, at most 50."""
    kind: Any = getattr(Receivable, column)
    if (await session.execute(select(kind).where(kind == value).limit(1))).first() is not None:
        return None
    return list((await session.execute(select(kind).distinct().order_by(kind).limit(50))).scalars())
