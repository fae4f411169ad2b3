"""The open items twice, day by day and side by side: as invoices we pay early, and as debts we chase."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

from demo.council_api import Council
from demo.proofs.events import until_handled
from demo.proofs.proof import Proof, show
from demo.real_data.chasing import DEBT_TYPE, SYSTEM, chase
from demo.real_data.open_items import (
    IN_FORCE_FROM,
    LAST_DAY,
    OpenItem,
    letters_by_level,
    read_open_items,
    rebate_by_month,
)
from demo.real_data.paying_early import SOURCE_SYSTEM, pay_early
from demo.steps import Steps, pence, pounds, table

PATIENCE_SECONDS = 1_800.0


async def replay_open_items(council: Council, file: Path, steps: Steps) -> bool:
    """Both replays, what came of them, and the same computed from the file; false where they differ."""
    items = read_open_items(file)
    began = time.monotonic()
    with (
        steps.step("Open items as suppliers' invoices", len(items)) as paid,
        steps.step("Open items as debts", len(items)) as settled,
    ):
        await asyncio.gather(pay_early(council, items, tick=paid), chase(council, items, tick=settled))
    took = time.monotonic() - began
    await until_handled(council.platform, seconds=PATIENCE_SECONDS, every=0.5)
    steps.pause()
    steps.console.print(
        f"Open items: {len(items):,} rows read, none refused; replayed twice in {took:.0f} s, "
        f"{2 * len(items) / took:,.0f} rows/s.",
        highlight=False,
    )
    earned = await _prove_rebates(council, items, steps)
    chased = await _prove_letters(council, items, steps)
    return earned and chased


async def _prove_rebates(council: Council, items: list[OpenItem], steps: Steps) -> bool:
    rows = await council.coordinator.rows("/v1/rebates/export.csv", remitted_from=IN_FORCE_FROM, remitted_to=LAST_DAY)
    found: Counter[str] = Counter()
    for row in rows:
        found[row["remitted_on"][:7]] += pence(row["rebate_pounds"])
    computed = rebate_by_month(items)
    months = sorted(computed)
    shown = [[month, pounds(found[month]), pounds(computed[month])] for month in months]
    headings = ("paid in", "rebate earned", "computed")
    steps.console.print(table("Rebates of the open items, by month", headings, shown))
    invoices = await council.auditor.rows("/v1/invoices/export.csv", source_system=SOURCE_SYSTEM)
    settled = sum(pence(row["paid_pounds"]) + pence(row["deducted_pounds"]) for row in invoices)
    return show(
        steps.console,
        "Open items paid early",
        [
            Proof("invoices paid", sum(row["status"] == "paid" for row in invoices), len(items)),
            Proof("paid and deducted", settled, sum(item.pence for item in items), money=True),
            Proof("rebates assessed", len(rows), len(items)),
            Proof("months whose rebates agree", sum(found[month] == computed[month] for month in months), len(months)),
            Proof("rebates in all", found.total(), computed.total(), money=True),
        ],
    )


async def _prove_letters(council: Council, items: list[OpenItem], steps: Steps) -> bool:
    sent: Counter[int] = Counter()
    async for run in council.auditor.items("/v1/dunning-runs", status="issued", as_at_to=LAST_DAY):
        if run["debt_type"] == DEBT_TYPE:
            for level in run["outcome"]["by_level"]:
                sent[level["level"]] += level["notices"]
    computed = letters_by_level(items)
    rows = await council.auditor.rows("/v1/receivables/export.csv", debt_type=DEBT_TYPE)
    return show(
        steps.console,
        f"Open items chased ({SYSTEM})",
        [
            Proof("charges raised", len(rows), len(items)),
            Proof("charges settled", sum(row["status"] == "settled" for row in rows), len(items)),
            *(Proof(f"letters of level {level}", sent[level], computed[level]) for level in sorted(computed)),
        ],
    )
