"""`python -m benchmarks [NAME …]`: run the benchmarks and print each as a ratio to its limit."""

from __future__ import annotations

import asyncio
import importlib
import sys

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Measured
from benchmarks.parts import parts

NAMES = ("relay",)


async def run(names: list[str]) -> list[Measured]:
    """One after the other, each on fresh databases."""
    with parts() as real:
        measured = []
        for name in names:
            print(f"{name} …", flush=True)
            measured.append(await importlib.import_module(f"benchmarks.{name}").measure(real))
        return measured


def table(measured: list[Measured]) -> Table:
    """Path, limit, figures and ratio."""
    shown = Table(title="Ratios to limits measured in the same run (medians of three alternating runs)")
    for column in ("path", "ours", "limit", "", "ratio", "reach", "aim", ""):
        shown.add_column(column, justify="right" if column in {"ours", "ratio", "reach", "aim"} else "left")
    for each in measured:
        sign = "≤ " if each.unit == "ms" else ""
        shown.add_row(
            each.path,
            f"{each.ours:,.1f} {each.unit}",
            each.limit,
            f"{each.bound:,.1f} {each.unit}",
            f"{each.ratio:.2f}",
            f"{sign}{each.reach:g}",
            f"{sign}{each.aim:g}",
            "reached" if each.reached else "NOT REACHED",
        )
    return shown


def main() -> None:
    names = sys.argv[1:] or list(NAMES)
    if unknown := [name for name in names if name not in NAMES]:
        sys.exit(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}.")
    Console(width=160).print(table(asyncio.run(run(names))))


if __name__ == "__main__":
    main()
