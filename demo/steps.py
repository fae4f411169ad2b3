"""What a person sees while the demonstration works: a bar a step on a terminal, a line a step anywhere else."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


class Tick(Protocol):
    """Says that so many pieces more are done."""

    def __call__(self, pieces: int = 1) -> None: ...


class Steps:
    """Shows each step of the work while it goes on, and how long it took."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._began = time.monotonic()
        self._bars = Progress(
            TextColumn("{task.description:<44}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )

    @contextmanager
    def step(self, what: str, total: int) -> Iterator[Tick]:
        """A step of so many pieces; call the tick after each, or after several."""
        began = time.monotonic()
        done = 0
        bar = self._bars.add_task(what, total=total)
        if self.console.is_terminal:
            self._bars.start()

        def tick(pieces: int = 1) -> None:
            nonlocal done
            done += pieces
            self._bars.update(bar, completed=done)

        try:
            yield tick
        finally:
            if not self.console.is_terminal:
                since, took = time.monotonic() - self._began, time.monotonic() - began
                self.console.print(
                    f"{since:6.1f} s  {what:<44} {done:>9,} of {total:,}  in {took:.1f} s", highlight=False
                )

    def pause(self) -> None:
        """Leave the bars as they are, before something else is printed."""
        self._bars.stop()
        for task in self._bars.task_ids:
            self._bars.remove_task(task)


def table(title: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A plain table; every column but the first is figures."""
    shown = Table(title=title, title_justify="left", title_style="bold", header_style="bold", pad_edge=False)
    for position, heading in enumerate(headings):
        shown.add_column(heading, justify="left" if position == 0 else "right", overflow="fold")
    for row in rows:
        shown.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    return shown


def pence(amount: str) -> int:
    """The pence of an amount in pounds as a CSV writes it.

    >>> pence("1234.56"), pence("-0.05")
    (123456, -5)
    """
    return int(Decimal(amount) * 100)


def pounds(pence: int) -> str:
    """Pence as people write them.

    >>> pounds(123456), pounds(-5)
    ('£1,234.56', '-£0.05')
    """
    whole, rest = divmod(abs(pence), 100)
    return f"{'-' if pence < 0 else ''}£{whole:,}.{rest:02d}"
