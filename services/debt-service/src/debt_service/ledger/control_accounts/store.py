"""The statements on control accounts: set-based, over the whole ledger."""

from __future__ import annotations

from datetime import date
from typing import Any

from council_common.database.sessions import driver
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.ledger.control_accounts.rules import Movements, TrialBalance
from debt_service.ledger.journal.rules import Account

# By receivable, what was paid or credited after a day: what was owed then is what is owed now and this.
SINCE = """
SELECT receivable_id, sum(pence)::bigint AS pence FROM (
    SELECT receivable_id, CASE WHEN allocated_on > $1 THEN amount_pence ELSE 0 END
        - CASE WHEN reversed_on > $1 THEN amount_pence ELSE 0 END AS pence
    FROM allocation WHERE allocated_on > $1 OR reversed_on > $1
    UNION ALL
    SELECT receivable_id, amount_pence FROM cancellation WHERE cancelled_on > $1
) later GROUP BY receivable_id
"""

# One statement, so that what is committed meanwhile is in both or in neither.
_TRIAL_BALANCE = f"""
SELECT line.account, sum(line.amount_pence)::bigint AS pence
FROM journal_line line JOIN journal_entry entry ON entry.id = line.entry_id
WHERE entry.posted_on <= $1 GROUP BY line.account
UNION ALL
SELECT NULL, sum(r.outstanding_pence + coalesce(since.pence, 0))::bigint
FROM receivable r LEFT JOIN ({SINCE}) since ON since.receivable_id = r.id
WHERE coalesce(r.counts_from, r.issued_on) <= $1
"""

# One statement for the same reason: the sub-ledger's movements and the control account, before the period and in it.
_MOVEMENTS = """
WITH moved (kind, day, pence) AS (
    SELECT 'invoices', coalesce(counts_from, issued_on), gross_pence FROM receivable
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
SELECT receivable_id, r.number, subledger_pence, journal_pence
FROM (
    SELECT receivable_id, sum(ledger)::bigint AS subledger_pence, sum(journal)::bigint AS journal_pence
    FROM (
        SELECT id AS receivable_id, gross_pence AS ledger, 0 AS journal
        FROM receivable WHERE coalesce(counts_from, issued_on) <= $1
        UNION ALL SELECT receivable_id, -amount_pence, 0 FROM cancellation WHERE cancelled_on <= $1
        UNION ALL SELECT receivable_id, -amount_pence, 0 FROM allocation WHERE allocated_on <= $1
        UNION ALL SELECT receivable_id, amount_pence, 0 FROM allocation WHERE reversed_on <= $1
        UNION ALL SELECT line.receivable_id, 0, line.amount_pence FROM journal_line line
            JOIN journal_entry entry ON entry.id = line.entry_id
            WHERE line.account = 'receivables_control' AND entry.posted_on <= $1
    ) recorded
    GROUP BY receivable_id HAVING sum(ledger) <> sum(journal) ORDER BY receivable_id LIMIT $2
) differing LEFT JOIN receivable r ON r.id = receivable_id
ORDER BY receivable_id
"""

_OUTSTANDING_NOW = """
SELECT r.id AS receivable_id, r.number, r.outstanding_pence AS subledger_pence,
    coalesce(control.pence, 0)::bigint AS journal_pence
FROM receivable r
FULL JOIN (SELECT receivable_id, sum(amount_pence) AS pence FROM journal_line
           WHERE account = 'receivables_control' GROUP BY 1) control ON control.receivable_id = r.id
WHERE r.outstanding_pence IS DISTINCT FROM coalesce(control.pence, 0) LIMIT $1
"""

# Of each receipt: what is allocated is what its standing allocations sum to, and what is left is what the journal has
# on account for it.
_RECEIPTS_DRIFTED = """
SELECT r.id AS receipt_id, r.amount_pence, r.allocated_pence, coalesce(standing.pence, 0)::bigint AS standing_pence,
    coalesce(on_account.pence, 0)::bigint AS on_account_pence
FROM receipt r
LEFT JOIN (SELECT receipt_id, sum(amount_pence) AS pence FROM allocation WHERE reversed_on IS NULL GROUP BY 1) standing
    ON standing.receipt_id = r.id
LEFT JOIN (SELECT receipt_id, -sum(amount_pence) AS pence FROM journal_line
           WHERE account = 'unallocated_cash' GROUP BY 1) on_account ON on_account.receipt_id = r.id
WHERE r.allocated_pence <> coalesce(standing.pence, 0) OR coalesce(on_account.pence, 0)
    <> CASE WHEN r.status = 'reversed' THEN 0 ELSE r.amount_pence - r.allocated_pence END
ORDER BY r.id LIMIT $1
"""


async def trial_balance(session: AsyncSession, *, as_at: date) -> TrialBalance:
    """The balance of every account at the end of a day (they sum to zero), and what receivables owed by then."""
    connection = await driver(session)
    balances = {row["account"]: row["pence"] or 0 for row in await connection.fetch(_TRIAL_BALANCE, as_at)}
    return TrialBalance({account: balances.get(account, 0) for account in Account}, balances[None])


async def movements(session: AsyncSession, *, start: date, end: date) -> tuple[Movements, int]:
    """The sub-ledger's movements from `start` to `end`, both days counted, and the control account at the end."""
    connection = await driver(session)
    nothing = (0, 0)
    found = {row["kind"]: (row["before"], row["during"]) for row in await connection.fetch(_MOVEMENTS, start, end)}
    invoices, credits_, allocated, reversed_ = (
        found.get(kind, nothing) for kind in ("invoices", "credits", "allocated", "reversed")
    )
    opening = invoices[0] - credits_[0] - allocated[0] + reversed_[0]
    moved = Movements(
        opening_pence=opening,
        invoices_pence=invoices[1],
        credits_pence=credits_[1],
        receipts_allocated_pence=allocated[1],
        receipts_reversed_pence=reversed_[1],
    )
    return moved, sum(found.get("control", nothing))


async def differences(session: AsyncSession, *, as_at: date, limit: int | None) -> list[dict[str, Any]]:
    """Receivables whose balance from their own records differs from the journal's."""
    connection = await driver(session)
    return [dict(row) for row in await connection.fetch(_DIFFERENCES, as_at, limit)]


async def drifted(session: AsyncSession, *, limit: int) -> list[dict[str, Any]]:
    """Receivables whose stored outstanding differs from the whole journal's."""
    connection = await driver(session)
    return [dict(row) for row in await connection.fetch(_OUTSTANDING_NOW, limit)]


async def receipts_drifted(session: AsyncSession, *, limit: int) -> list[dict[str, Any]]:
    """Receipts whose allocated and unallocated parts are not what their allocations and the journal say."""
    connection = await driver(session)
    return [dict(row) for row in await connection.fetch(_RECEIPTS_DRIFTED, limit)]
