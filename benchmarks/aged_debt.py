"""The report of aged debt against the bare GROUP BY over the same debts."""

from __future__ import annotations

from typing import Any

import asyncpg
from council_common.testing.harness import harness
from debt_service.main import SERVICE
from debt_service.reporting.aged_debt.rules import BUCKET_STARTS
from debt_service.settings import Settings

from benchmarks.debt_book import AS_AT, DEBTS, debt_book
from benchmarks.measure import Measured, alternating
from benchmarks.parts import Parts

ROUNDS = 5

_GROUP = """
SELECT department, width_bucket($1 - due_on, $2::integer[]) AS bucket, sum(outstanding_pence)::bigint, count(*)
FROM receivable WHERE outstanding_pence > 0 GROUP BY 1, 2
"""


async def measure(parts: Parts) -> Measured:
    """GET /v1/reports/aged-debt by department, in process, over BENCH_SCALE debts (1,000,000)."""
    url = debt_book(parts)
    connection = await asyncpg.connect(url, server_settings={"jit": "off"})
    async with harness(SERVICE, Settings, url, rolled_back=False) as service:
        client = service.as_("receivables_coordinator")

        async def ours() -> int:
            answer = await client.get("/v1/reports/aged-debt", params={"as_at": str(AS_AT)}, timeout=300)
            debts: int = answer.raise_for_status().json()["total"]["debts"]
            return debts

        async def limit() -> int:
            rows: list[Any] = await connection.fetch(_GROUP, AS_AT, list(BUCKET_STARTS))
            return sum(row["count"] for row in rows)

        if await ours() != await limit() or await limit() != DEBTS:
            raise RuntimeError("the report and the bare statement count other debts")
        measured, bound = await alternating(ours, limit, rounds=ROUNDS)
    await connection.close()
    return Measured(
        "aged debt, debts",
        "bare GROUP BY department, bucket",
        measured,
        bound,
        0.90,
        0.95,
        note=f"{DEBTS:,} debts",
    )
