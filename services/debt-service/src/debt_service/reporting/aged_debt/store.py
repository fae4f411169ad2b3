"""The statements on aged debt: set-based, over the whole ledger."""

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

# What is owed now, added up in one pass; and, for a day that is past, what was paid or credited since was owed then. A
# debt that owes nothing now counts where it owed something then, and the other way round.
_AGED = """
SELECT key::text, bucket, sum(pence)::bigint AS pence, sum(debts)::bigint AS debts FROM (
    SELECT r.{column} AS key, width_bucket($1 - r.due_on, $2::integer[]) AS bucket,
        sum(r.outstanding_pence) AS pence, count(*) AS debts
    FROM receivable r WHERE r.outstanding_pence > 0 AND coalesce(r.counts_from, r.issued_on) <= $1 GROUP BY 1, 2
    UNION ALL
    SELECT r.{column}, width_bucket($1 - r.due_on, $2::integer[]), since.pence,
        (r.outstanding_pence + since.pence <> 0)::integer - (r.outstanding_pence > 0)::integer
    FROM ({since}) since JOIN receivable r ON r.id = since.receivable_id
    WHERE coalesce(r.counts_from, r.issued_on) <= $1
) aged GROUP BY 1, 2 HAVING sum(debts) > 0
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
