"""`python -m benchmarks [NAME …]`: run the benchmarks and print each as a ratio to its limit."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import time
import traceback

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Measured
from benchmarks.parts import parts

NAMES = (
    "import_invoices",
    "post_invoice",
    "approve_invoice",
    "record_payment",
    "relay",
    "earn_rebates",
    "paid_to_visible",
    "propose_dunning",
    "aged_debt",
    "list_page",
)


async def run(names: list[str]) -> list[Measured]:
    """One after the other, each on fresh databases; one that breaks is reported and the others go on."""
    measured = []
    with parts() as real:
        for name in names:
            began = time.monotonic()
            print(f"{name} …", end=" ", flush=True)
            try:
                one = await importlib.import_module(f"benchmarks.{name}").measure(real)
            except Exception as fault:
                traceback.print_exc()
                print(f"BROKE: {type(fault).__name__}", flush=True)
                continue
            measured.append(one)
            print(f"{one.ratio:.2f}, {one.verdict}, in {time.monotonic() - began:.0f} s", flush=True)
    return measured


def table(measured: list[Measured]) -> Table:
    """Path, limit, figures and ratio."""
    shown = Table(title="Ratios to limits measured in the same run (the round with the median ratio)")
    for column in ("path", "ours", "limit", "", "ratio", "reach", "aim", "", "note"):
        shown.add_column(column, justify="right" if column in {"ours", "ratio", "reach", "aim"} else "left")
    for each in measured:
        sign = "≤ " if each.unit == "ms" else ""
        shown.add_row(
            each.path,
            f"{each.ours:,.{_places(each)}f} {each.unit}",
            each.limit,
            f"{each.bound:,.{_places(each)}f} {each.unit}",
            f"{each.ratio:.2f}",
            f"{sign}{each.reach:g}",
            f"{sign}{each.aim:g}",
            each.verdict,
            each.note,
        )
    return shown


def _places(measured: Measured) -> int:
    return 1 if measured.unit == "ms" else 0


def main() -> None:
    """Exit code 0 whatever the figures: they never fail a build."""
    names = sys.argv[1:] or list(NAMES)
    if unknown := [name for name in names if name not in NAMES]:
        sys.exit(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}.")
    print(f"Load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.")
    Console(width=200).print(table(asyncio.run(run(names))))
    print(f"Load average after: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
