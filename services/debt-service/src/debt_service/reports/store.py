"""The reports' queries: set-based, over the whole book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from council_common.database.sessions import driver
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.journal.rules import Account
from debt_service.reports.rules import BUCKET_STARTS, Movements


class By(StrEnum):
    """What aged debt is cut by."""

    DEPARTMENT = "department"
    DEBT_TYPE = "debt_type"
    CUSTOMER = "customer"


_COLUMNS = {By.DEPARTMENT: "department", By.DEBT_TYPE: "debt_type", By.CUSTOMER: "customer_id"}

# What was owed then is what is owed now, less what was raised since, plus what was paid or credited since.
_SINCE = """
SELECT receivable_id, sum(pence)::bigint AS pence FROM (
    SELECT receivable_id, CASE WHEN allocated_on > $1 THEN amount_pence ELSE 0 END
        - CASE WHEN reversed_on > $1 THEN amount_pence ELSE 0 END AS pence
    FROM allocation WHERE allocated_on > $1 OR reversed_on > $1
    UNION ALL
    SELECT receivable_id, amount_pence FROM cancellation WHERE cancelled_on > $1
) later GROUP BY receivable_id
"""

_AGED = """
SELECT key::text, bucket, pence, debts FROM (
    SELECT r.{column} AS key, width_bucket($1 - r.due_on, $2::integer[]) AS bucket,
        sum(r.outstanding_pence + coalesce(since.pence, 0))::bigint AS pence, count(*) AS debts
    FROM receivable r LEFT JOIN ({since}) since ON since.receivable_id = r.id
    WHERE r.issued_on <= $1 AND r.outstanding_pence + coalesce(since.pence, 0) <> 0
    GROUP BY 1, 2
) aged
"""

# On account as at a day: received by then, less allocated by then, unless it had gone back.
_UNALLOCATED = """
SELECT customer_id, sum(pence)::bigint AS pence FROM (
    SELECT customer_id, amount_pence AS pence FROM receipt
    WHERE received_on <= $1 AND (reversed_on IS NULL OR reversed_on > $1)
    UNION ALL
    SELECT receipt.customer_id, -allocation.amount_pence FROM allocation JOIN receipt ON receipt.id = receipt_id
    WHERE allocated_on <= $1 AND (allocation.reversed_on IS NULL OR allocation.reversed_on > $1)
) cash GROUP BY customer_id HAVING sum(pence) <> 0
"""

# One statement, so that what is recorded meanwhile is in both or in neither: reports read committed rows.
_TRIAL_BALANCE = f"""
SELECT line.account, sum(line.amount_pence)::bigint AS pence
FROM journal_line line JOIN journal_entry entry ON entry.id = line.entry_id
WHERE entry.posted_on <= $1 GROUP BY line.account
UNION ALL
SELECT NULL, sum(r.outstanding_pence + coalesce(since.pence, 0))::bigint
FROM receivable r LEFT JOIN ({_SINCE}) since ON since.receivable_id = r.id
WHERE r.issued_on <= $1
"""

# One statement for the same reason: the sub-ledger's movements and the control account, before the period and in it.
_MOVEMENTS = """
WITH moved (kind, day, pence) AS (
    SELECT 'invoices', issued_on, gross_pence FROM receivable
    UNION ALL SELECT 'credits', cancelled_on, amount_pence FROM cancellation
    UNION ALL SELECT 'allocated', allocated_on, amount_pence FROM allocation
    UNION ALL SELECT 'reversed', reversed_on, amount_pence FROM allocation
    UNION ALL SELECT 'control', entry.posted_on, line.amount_pence
        FROM journal_line line JOIN journal_entry entry ON entry.id = line.entry_id
        WHERE line.account = 'receivables_control'
)
SELECT kind, coalesce(sum(pence) FILTER (WHERE day < $1), 0)::bigint AS before,
    coalesce(sum(pence) FILTER (WHERE day >= $1), 0)::bigint AS during
FROM moved WHERE day <= $2 GROUP BY kind
"""

_DIFFERENCES = """
SELECT receivable_id, sum(ledger)::bigint AS subledger_pence, sum(journal)::bigint AS journal_pence FROM (
    SELECT id AS receivable_id, gross_pence AS ledger, 0 AS journal FROM receivable WHERE issued_on <= $1
    UNION ALL SELECT receivable_id, -amount_pence, 0 FROM cancellation WHERE cancelled_on <= $1
    UNION ALL SELECT receivable_id, -amount_pence, 0 FROM allocation WHERE allocated_on <= $1
    UNION ALL SELECT receivable_id, amount_pence, 0 FROM allocation WHERE reversed_on <= $1
    UNION ALL SELECT line.receivable_id, 0, line.amount_pence FROM journal_line line
        JOIN journal_entry entry ON entry.id = line.entry_id
        WHERE line.account = 'receivables_control' AND entry.posted_on <= $1
) told GROUP BY receivable_id HAVING sum(ledger) <> sum(journal) ORDER BY receivable_id LIMIT $2
"""

_OUTSTANDING_NOW = """
SELECT r.id AS receivable_id, r.outstanding_pence AS subledger_pence,
    coalesce(control.pence, 0)::bigint AS journal_pence
FROM receivable r
FULL JOIN (SELECT receivable_id, sum(amount_pence) AS pence FROM journal_line
           WHERE account = 'receivables_control' GROUP BY 1) control ON control.receivable_id = r.id
WHERE r.outstanding_pence IS DISTINCT FROM coalesce(control.pence, 0) LIMIT $1
"""


async def aged(session: AsyncSession, *, as_at: date, by: By) -> Sequence[Any]:
    """What was owed at the end of a day, by key and bucket: rows (key, bucket number, pence, debts)."""
    connection = await driver(session)
    statement = _AGED.format(column=_COLUMNS[by], since=_SINCE)
    rows: Sequence[Any] = await connection.fetch(statement, as_at, list(BUCKET_STARTS))
    return rows


async def unallocated(session: AsyncSession, *, as_at: date) -> dict[UUID | None, int]:
    """Cash on account at the end of a day, by customer; None for money nobody could be found for."""
    connection = await driver(session)
    return {row["customer_id"]: row["pence"] for row in await connection.fetch(_UNALLOCATED, as_at)}


async def trial_balance(session: AsyncSession, *, as_at: date) -> tuple[dict[Account, int], int]:
    """The balance of every account at the end of a day (they sum to nought), and what receivables owed by then."""
    connection = await driver(session)
    found = {row["account"]: row["pence"] or 0 for row in await connection.fetch(_TRIAL_BALANCE, as_at)}
    return {account: found.get(account, 0) for account in Account}, found[None]


async def movements(session: AsyncSession, *, start: date, end: date) -> tuple[Movements, int]:
    """The sub-ledger's movements from `start` to `end`, both days counted, and the control account at the end."""
    connection = await driver(session)
    nothing = (0, 0)
    found = {row["kind"]: (row["before"], row["during"]) for row in await connection.fetch(_MOVEMENTS, start, end)}
    invoices, credits_, allocated, reversed_ = (
        found.get(kind, nothing) for kind in ("invoices", "credits", "allocated", "reversed")
    )
    opening = invoices[0] - credits_[0] - allocated[0] + reversed_[0]
    moved = Movements(opening, invoices[1], credits_[1], allocated[1], reversed_[1])
    return moved, sum(found.get("control", nothing))


async def differences(session: AsyncSession, *, as_at: date, limit: int) -> list[dict[str, Any]]:
    """Receivables whose balance from their own records differs from the journal's."""
    connection = await driver(session)
    return [dict(row) for row in await connection.fetch(_DIFFERENCES, as_at, limit)]


async def drifted(session: AsyncSession, *, limit: int) -> list[dict[str, Any]]:
    """Receivables whose stored outstanding differs from the whole journal's."""
    connection = await driver(session)
    return [dict(row) for row in await connection.fetch(_OUTSTANDING_NOW, limit)]
