"""The queries of aged debt: set-based, over the whole ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from council_common.database.sessions import driver
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.ledger.control_accounts.store import SINCE
from debt_service.reporting.aged_debt.rules import BUCKET_STARTS, Grouping

_COLUMNS = {Grouping.DEPARTMENT: "department", Grouping.DEBT_TYPE: "debt_type", Grouping.CUSTOMER: "customer_id"}

_AGED = """
SELECT key::text, bucket, pence, debts FROM (
    SELECT r.{column} AS key, width_bucket($1 - r.due_on, $2::integer[]) AS bucket,
        sum(r.outstanding_pence + coalesce(since.pence, 0))::bigint AS pence, count(*) AS debts
    FROM receivable r LEFT JOIN ({since}) since ON since.receivable_id = r.id
    WHERE r.issued_on <= $1 AND r.outstanding_pence + coalesce(since.pence, 0) <> 0
    GROUP BY 1, 2
) aged
"""

# On account as at a day: received by then, less allocated by then, unless it was reversed by then.
_UNALLOCATED = """
SELECT customer_id, sum(pence)::bigint AS pence FROM (
    SELECT customer_id, amount_pence AS pence FROM receipt
    WHERE received_on <= $1 AND (reversed_on IS NULL OR reversed_on > $1)
    UNION ALL
    SELECT receipt.customer_id, -allocation.amount_pence FROM allocation JOIN receipt ON receipt.id = receipt_id
    WHERE allocated_on <= $1 AND (allocation.reversed_on IS NULL OR allocation.reversed_on > $1)
) cash GROUP BY customer_id HAVING sum(pence) <> 0
"""


async def aged(session: AsyncSession, *, as_at: date, by: Grouping) -> Sequence[Any]:
    """What was owed at the end of a day, by key and bucket: rows (key, bucket number, pence, debts)."""
    connection = await driver(session)
    statement = _AGED.format(column=_COLUMNS[by], since=SINCE)
    rows: Sequence[Any] = await connection.fetch(statement, as_at, list(BUCKET_STARTS))
    return rows


async def unallocated(session: AsyncSession, *, as_at: date) -> dict[UUID | None, int]:
    """Cash on account at the end of a day, in pence by customer; None is suspense."""
    connection = await driver(session)
    return {row["customer_id"]: row["pence"] for row in await connection.fetch(_UNALLOCATED, as_at)}
