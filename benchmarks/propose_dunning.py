"""A dunning proposal with a reason for each debt, against the bare statement that picks levels and inserts items."""

from __future__ import annotations

import time
from typing import Any

import asyncpg
from council_common.ids import new_id
from council_common.testing.harness import Harness, harness
from debt_service.main import SERVICE
from debt_service.settings import Settings

from benchmarks.debt_book import AS_AT, DEBTS, debt_book
from benchmarks.measure import Measured, alternating_figures
from benchmarks.parts import Parts

# The standard ladder, what is old enough and long enough after the last notice; nothing else is looked at.
_PICK = """
INSERT INTO dunning_item (run_id, receivable_id, customer_id, procedure_id, level, days_overdue, outstanding_pence,
    due_on, last_notice_on, state)
SELECT $2, r.id, r.customer_id, rung.procedure_id, rung.level, $1 - r.due_on, r.outstanding_pence,
    r.due_on, r.last_notice_on, 'proposed'
FROM receivable r JOIN (
    SELECT procedure.id AS procedure_id, level.* FROM dunning_procedure procedure
    CROSS JOIN jsonb_to_recordset(levels) AS level(level smallint, days_overdue integer, interval_days integer)
) rung ON rung.level = r.dunning_level + 1
WHERE r.status = 'overdue' AND $1 - r.due_on >= rung.days_overdue
    AND (r.last_notice_on IS NULL OR $1 - r.last_notice_on >= rung.interval_days)
"""


async def measure(parts: Parts) -> Measured:
    """BENCH_SCALE overdue debts (1,000,000), marked before; POST /v1/dunning-runs in process until committed."""
    url = debt_book(parts)
    connection = await asyncpg.connect(url, server_settings={"jit": "off"})
    async with harness(SERVICE, Settings, url, rolled_back=False) as service:
        proposed: list[int] = []

        async def ours() -> float:
            await _forget(connection)
            seconds, run = await _propose(service)
            proposed.append(run["found"]["proposed"])
            return DEBTS / seconds

        async def limit() -> float:
            await _forget(connection)
            began = time.perf_counter()
            picked = await connection.execute(_PICK, AS_AT, new_id())
            proposed.append(int(picked.split()[-1]))
            return DEBTS / (time.perf_counter() - began)

        measured, bound = await alternating_figures(ours, limit)
    await connection.close()
    return Measured(
        "dunning proposal with reasons, debts",
        "bare statement that picks levels, inserts items",
        measured,
        bound,
        0.85,
        0.90,
        note=f"{DEBTS:,} overdue debts: {proposed[-1]:,} proposed (bare: {proposed[0]:,}, no holds looked at)",
    )


async def _forget(connection: asyncpg.Connection[Any]) -> None:
    await connection.execute("TRUNCATE dunning_item")
    await connection.execute("DELETE FROM dunning_run")


async def _propose(service: Harness) -> tuple[float, Any]:
    """Seconds for the run, and the run."""
    began = time.perf_counter()
    client = service.as_("receivables_coordinator")
    answer = await client.post("/v1/dunning-runs", json={"as_at": str(AS_AT)}, timeout=300)
    return time.perf_counter() - began, answer.raise_for_status().json()
