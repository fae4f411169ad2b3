"""The statements on receipts and their allocations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from council_common.database.many_rows import SourceKey, copy_rows
from council_common.database.sessions import driver
from council_common.ids import new_id
from sqlalchemy import BigInteger, ColumnElement, ScalarSelect, and_, cast, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.cash.receipts.rules import AllocationBasis, NewReceipt, ReceiptStatus, UnallocatedReason
from debt_service.cash.receipts.tables import Allocation, Receipt
from debt_service.ledger.receivables.rules import OpenItem
from debt_service.source_content import content_hash

# What receipts have on account: the condition has an index of its own.
HAS_MONEY_LEFT = "receipt.status = 'received' AND receipt.allocated_pence < receipt.amount_pence"
# The customers whose money the council holds, and how much of one's, for set-based statements.
CUSTOMERS_WITH_MONEY = f"(SELECT customer_id FROM receipt WHERE customer_id IS NOT NULL AND {HAS_MONEY_LEFT})"
ON_ACCOUNT = f"""
(SELECT sum(receipt.amount_pence - receipt.allocated_pence)::bigint FROM receipt
 WHERE receipt.customer_id = {{customer_id}} AND {HAS_MONEY_LEFT})
"""

_INSERT = """
INSERT INTO receipt (id, version, source_system, source_reference, received_on, amount_pence, allocated_pence, method,
                     payer_reference, customer_id, payer_named, status, created_at, content_hash)
SELECT id, 1, system, reference, received_on, amount, 0, method, payer_reference, customer_id,
    customer_id IS NOT NULL, 'received', $10, hash
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::date[], $5::bigint[], $6::text[], $7::text[], $8::uuid[],
            $9::text[])
     AS new (id, system, reference, received_on, amount, method, payer_reference, customer_id, hash)
ON CONFLICT (source_reference, source_system) DO NOTHING
RETURNING id, source_system, source_reference
"""

_SET_ALLOCATED = """
UPDATE receipt SET allocated_pence = allocated_pence + new.pence, version = version + 1
FROM unnest($1::uuid[], $2::bigint[]) AS new (id, pence) WHERE receipt.id = new.id
RETURNING receipt.id, receipt.version, new.pence
"""

_PAID = """
SELECT receivable_id, allocated_on AS day, amount_pence, reversed_on
FROM allocation WHERE receivable_id = ANY($1::uuid[])
UNION ALL
SELECT receivable_id, cancelled_on, amount_pence, NULL FROM cancellation WHERE receivable_id = ANY($1::uuid[])
"""

_END = """
UPDATE allocation SET reversed_on = ended.day, reversal_reason = $3
FROM unnest($1::uuid[], $2::date[]) AS ended (id, day) WHERE allocation.id = ended.id
"""


class NewAllocation(NamedTuple):
    """A row of allocations, as COPY takes it."""

    id: UUID
    receipt_id: UUID
    receivable_id: UUID
    amount_pence: int
    basis: AllocationBasis
    allocated_on: date
    allocated_by: str
    allocated_by_name: str
    moved_from_id: UUID | None


async def insert_receipts(
    session: AsyncSession, receipts: Sequence[NewReceipt], *, at: datetime
) -> dict[SourceKey, UUID]:
    """Add those whose source reference is new; returns their ids by source. A racing insert is waited for."""
    connection = await driver(session)
    rows = await connection.fetch(
        _INSERT,
        [new_id() for _ in receipts],
        [new.source_system for new in receipts],
        [new.source_reference for new in receipts],
        [new.received_on for new in receipts],
        [new.amount_pence for new in receipts],
        [new.method for new in receipts],
        [new.payer_reference for new in receipts],
        [new.customer_id for new in receipts],
        [content_hash(new) for new in receipts],
        at,
    )
    return {(row["source_system"], row["source_reference"]): row["id"] for row in rows}


class AllocatedTotal(NamedTuple):
    """What was allocated of a receipt at once, and its version since."""

    receipt_id: UUID
    version: int
    pence: int


async def add_allocations(session: AsyncSession, allocations: Sequence[NewAllocation]) -> list[AllocatedTotal]:
    """Add allocations by COPY and add them up on their receipts."""
    await copy_rows(session, "allocation", NewAllocation._fields, allocations)
    sums: dict[UUID, int] = defaultdict(int)
    for allocation in allocations:
        sums[allocation.receipt_id] += allocation.amount_pence
    connection = await driver(session)
    rows = await connection.fetch(_SET_ALLOCATED, list(sums), list(sums.values()))
    return [AllocatedTotal(receipt_id=row["id"], version=row["version"], pence=row["pence"]) for row in rows]


async def remove_receipts(session: AsyncSession, receipt_ids: Sequence[UUID]) -> None:
    """Remove receipts of this transaction whose allocations were refused: nothing is on the books yet."""
    if receipt_ids:
        of_these = delete(Receipt).where(col(Receipt.id).in_(receipt_ids))
        await session.execute(of_these.execution_options(synchronize_session=False))


async def name_customers(session: AsyncSession, customers: Mapping[UUID, UUID]) -> None:
    """Note whose money receipts are that named no customer but quoted a receivable."""
    await _note(session, "customer_id", "uuid", customers)


async def note_unallocated_reasons(session: AsyncSession, reasons: Mapping[UUID, UnallocatedReason]) -> None:
    """Note why what is left of receipts stays on account."""
    await _note(session, "on_account_reason", "text", reasons)


async def _note(session: AsyncSession, column: str, kind: str, by_receipt: Mapping[UUID, Any]) -> None:
    """Set one column of many receipts, whose SQL type is `kind`."""
    if by_receipt:
        connection = await driver(session)
        await connection.execute(
            f"UPDATE receipt SET {column} = new.value FROM unnest($1::uuid[], $2::{kind}[]) AS new (id, value) "
            "WHERE receipt.id = new.id",
            list(by_receipt),
            list(by_receipt.values()),
        )


def has_money_left() -> ColumnElement[bool]:
    """`HAS_MONEY_LEFT` as an expression."""
    left = col(Receipt.allocated_pence) < col(Receipt.amount_pence)
    return and_(col(Receipt.status) == ReceiptStatus.RECEIVED, left)


def on_account_of(customer_id: Any) -> ScalarSelect[Any]:
    """`ON_ACCOUNT` as an expression: the pence the council holds of a customer, NULL where it holds nothing."""
    left = func.sum(col(Receipt.amount_pence) - col(Receipt.allocated_pence))
    return (
        select(cast(left, BigInteger))
        .where(col(Receipt.customer_id) == customer_id, has_money_left())
        .correlate_except(Receipt)
        .scalar_subquery()
    )


async def allocations_of(session: AsyncSession, receipt_ids: Sequence[UUID]) -> dict[UUID, list[Allocation]]:
    """The allocations of some receipts, in the order they were made."""
    rows = await session.scalars(
        select(Allocation).where(col(Allocation.receipt_id).in_(receipt_ids)).order_by(col(Allocation.id))
    )
    found: dict[UUID, list[Allocation]] = defaultdict(list)
    for row in rows:
        found[row.receipt_id].append(row)
    return found


async def standing_on(session: AsyncSession, receivable_id: UUID) -> list[Allocation]:
    """The allocations to a receivable that stand, in the order they were made."""
    of_debt = select(Allocation).where(
        col(Allocation.receivable_id) == receivable_id, col(Allocation.reversed_on).is_(None)
    )
    return list(await session.scalars(of_debt.order_by(col(Allocation.id)).execution_options(populate_existing=True)))


async def note_paid(session: AsyncSession, items: Mapping[UUID, OpenItem]) -> None:
    """Fill in what was paid and credited on some locked receivables, and what came back."""
    connection = await driver(session)
    for row in await connection.fetch(_PAID, list(items)):
        items[row["receivable_id"]].note_paid(row["day"], row["amount_pence"], came_back_on=row["reversed_on"])


async def end_allocations(session: AsyncSession, ends: Mapping[UUID, date], *, reason: str) -> None:
    """Mark allocations as taken back, each from its day on."""
    connection = await driver(session)
    await connection.execute(_END, list(ends), list(ends.values()), reason)
