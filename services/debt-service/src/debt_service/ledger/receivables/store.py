"""The statements on receivables."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.database.sessions import driver
from council_common.errors import NotFound
from council_common.ids import new_id
from sqlalchemy import Text, Uuid, any_, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.ledger.receivables.rules import STORED, NewReceivable, OpenItem, ReceivableStatus
from debt_service.ledger.receivables.tables import Cancellation, Receivable

_INSERT = """
INSERT INTO receivable (id, version, customer_id, source_system, source_reference, number, department, debt_type,
    issued_on, due_on, lines, net_pence, vat_pence, gross_pence, outstanding_pence, status, on_hold, dunning_level,
    created_at, replaces_id, counts_from)
SELECT id, 1, customer_id, system, reference, number, department, debt_type, issued_on, due_on,
    lines::jsonb, net, vat, gross, gross, 'open', on_hold, 0, $15, replaces_id, counts_from
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[],
            $9::date[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::boolean[], $16::uuid[],
            $17::date[])
     AS new (id, customer_id, system, reference, number, department, debt_type, issued_on, due_on, lines,
             net, vat, gross, on_hold, replaces_id, counts_from)
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
RETURNING {", ".join(f"receivable.{name}" for name in STORED)}
"""


@dataclass(frozen=True, slots=True)
class RaisedReceivable:
    """A new receivable as it is inserted: its id, its customer, and whether the customer is on hold."""

    id: UUID
    customer_id: UUID
    on_hold: bool
    new: NewReceivable


async def insert_receivables(session: AsyncSession, raised: Sequence[RaisedReceivable], *, at: datetime) -> set[UUID]:
    """Add those whose source reference and number are new; returns the ids added. A racing insert is waited for."""
    connection = await driver(session)
    rows = await connection.fetch(
        _INSERT,
        [receivable.id for receivable in raised],
        [receivable.customer_id for receivable in raised],
        [receivable.new.source_system for receivable in raised],
        [receivable.new.source_reference for receivable in raised],
        [receivable.new.number for receivable in raised],
        [receivable.new.department for receivable in raised],
        [receivable.new.debt_type for receivable in raised],
        [receivable.new.issued_on for receivable in raised],
        [receivable.new.due_on for receivable in raised],
        [json.dumps(receivable.new.lines) for receivable in raised],
        [receivable.new.net_pence for receivable in raised],
        [receivable.new.vat_pence for receivable in raised],
        [receivable.new.gross_pence for receivable in raised],
        [receivable.on_hold for receivable in raised],
        at,
        [receivable.new.replaces_id for receivable in raised],
        [receivable.new.counts_from for receivable in raised],
    )
    return {row["id"] for row in rows}


def prepared(new: NewReceivable, customer_id: UUID, *, on_hold: bool) -> RaisedReceivable:
    """A new receivable with its id."""
    return RaisedReceivable(new_id(), customer_id, on_hold, new)


async def receivables_like(
    session: AsyncSession, new: Sequence[NewReceivable]
) -> tuple[dict[tuple[str, str], Receivable], dict[str, Receivable]]:
    """The receivables that have one of these source references or numbers: by source, and by number."""
    by_source = tuple_(col(Receivable.source_system), col(Receivable.source_reference)).in_(
        [(charge.source_system, charge.source_reference) for charge in new]
    )
    by_number = col(Receivable.number).in_([charge.number for charge in new])
    found = (await session.scalars(select(Receivable).where(or_(by_source, by_number)))).all()
    known_by_source = {(known.source_system, known.source_reference): known for known in found}
    return known_by_source, {known.number: known for known in found}


async def numbers_of(session: AsyncSession, receivable_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The numbers of receivables by their ids."""
    ids = any_(literal(sorted(set(receivable_ids)), ARRAY(Uuid)))
    rows = await session.execute(select(col(Receivable.id), col(Receivable.number)).where(col(Receivable.id) == ids))
    return {row.id: row.number for row in rows}


async def lock_open_items(session: AsyncSession, receivable_ids: Iterable[UUID]) -> dict[UUID, OpenItem]:
    """What is owed on these, rows locked in the order of their ids: two writers wait, never in a ring."""
    ids = literal(sorted(set(receivable_ids)), ARRAY(Uuid))
    rows = await session.execute(
        select(*(getattr(Receivable, name) for name in STORED))
        .where(col(Receivable.id) == any_(ids))
        .order_by(col(Receivable.id))
        .with_for_update()
    )
    return {row.id: OpenItem.of(row) for row in rows}


async def lock_open_item(session: AsyncSession, receivable_id: UUID) -> OpenItem:
    """What is owed on one, its row locked; raises NotFound."""
    items = await lock_open_items(session, [receivable_id])
    if not items:
        raise NotFound.of("receivable")
    return items[receivable_id]


async def replacement_of(session: AsyncSession, receivable_id: UUID) -> Receivable | None:
    """The charge that was raised in place of another; None where there is none."""
    found: Receivable | None = await session.scalar(
        select(Receivable).where(col(Receivable.replaces_id) == receivable_id)
    )
    return found


async def save_open_items(session: AsyncSession, items: Sequence[OpenItem]) -> None:
    """Write back what changed while the rows were locked."""
    connection = await driver(session)
    await connection.execute(
        _SAVE,
        [item.id for item in items],
        [item.version for item in items],
        [item.outstanding_pence for item in items],
        [item.status for item in items],
        [item.overdue_on for item in items],
        [item.settled_on for item in items],
    )


async def mark_overdue(session: AsyncSession, *, as_at: date, batch: int) -> AsyncIterator[list[OpenItem]]:
    """Move the open receivables whose due date passed before that day: one statement, its answer in batches."""
    connection = await driver(session)
    cursor = await connection.cursor(_MARK, as_at)
    while rows := await cursor.fetch(batch):
        yield [_open_item(row) for row in rows]


async def ids_by_number(session: AsyncSession, numbers: Iterable[str]) -> dict[str, tuple[UUID, UUID]]:
    """The ids of receivables, and of their customers, by their numbers."""
    wanted = col(Receivable.number) == any_(literal(sorted(set(numbers)), ARRAY(Text)))
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


async def values_instead_of(session: AsyncSession, column: str, value: str) -> list[str] | None:
    """None where a debt has this value in a column; else the values there are, at most 50."""
    kind: Any = getattr(Receivable, column)
    if (await session.execute(select(kind).where(kind == value).limit(1))).first() is not None:
        return None
    return list((await session.execute(select(kind).distinct().order_by(kind).limit(50))).scalars())
