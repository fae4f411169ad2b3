"""`python -m demo`: the sample council's month, or with `--data` the council's work on real input."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from datetime import date
from pathlib import Path

import httpx
from council_common.clock import london_date, utc_now
from rich.console import Console

from demo.council_api import Council, Refused, gateway_client
from demo.month import play_month
from demo.running import Running, running_platform
from demo.where_to_go import say_where_to_go


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 170)
    if options.data is not None and not options.data.is_dir():
        console.print(f"There is no folder {options.data}.", style="red", highlight=False)
        return 2
    today = london_date(utc_now())
    if options.day is not None and options.day > today:
        console.print(f"The month cannot end on {options.day}: that is in the future.", style="red", highlight=False)
        return 2
    try:
        return asyncio.run(_run(options, console, today))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    except (Refused, RuntimeError, OSError, TimeoutError, httpx.HTTPError) as error:
        console.print(f"\n{type(error).__name__}: {error}", style="red", markup=False, highlight=False)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder with council-spend and receivables: work on these instead")
    parser.add_argument(
        "--serve",
        action=argparse.BooleanOptionalAction,
        default=os.environ.get("SERVE") != "0",
        help="leave the platform running afterwards (the default, unless SERVE=0)",
    )
    parser.add_argument(
        "--day", type=date.fromisoformat, help="when the month ends, such as 2026-03-31; today if absent"
    )
    parser.add_argument("--only", action="append", help="with --data: this part only (a body, or ibm); may be repeated")
    parser.add_argument("--limit-files", type=int, help="with --data: so many files of each body")
    return parser


async def _run(options: argparse.Namespace, console: Console, today: date) -> int:
    began = time.monotonic()
    work = asyncio.current_task()
    assert work is not None  # noqa: S101 - we are in it
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    async with running_platform(console) as running, gateway_client(running.platform) as http:
        started = time.monotonic()
        holds = await _work(options, Council(running.platform, http), console, today)
        took = time.monotonic()
        console.print(
            f"\n{'[green]All sums hold.[/]' if holds else '[bold red]A sum does not hold.[/]'} "
            f"Started in {started - began:.0f} s, worked for {took - started:.0f} s.",
            highlight=False,
        )
        if options.serve:
            await _serve(running, console)
        return 0 if holds else 1


async def _work(options: argparse.Namespace, council: Council, console: Console, today: date) -> bool:
    if options.data is None:
        return await play_month(council, console, today=today, last_day=options.day or today)
    from demo.real_data import work_on_real_data

    return await work_on_real_data(council, options.data, console, only=options.only, limit_files=options.limit_files)


async def _serve(running: Running, console: Console) -> None:
    """Stay until Ctrl-C, which ends everything in its order; a platform that ran already is left alone."""
    say_where_to_go(console, running)
    if running.ours:
        asked_to_end = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, asked_to_end.set)
        await asked_to_end.wait()


if __name__ == "__main__":
    sys.exit(main())
