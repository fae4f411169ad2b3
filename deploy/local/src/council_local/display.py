"""What a person sees while the platform starts: one line per part, and at the end where to go."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from council_local.platform import Platform, State

COLOURS = {
    State.PREPARING: "yellow",
    State.STARTING: "yellow",
    State.READY: "green",
    State.FAILED: "bold red",
    State.RESTARTING: "magenta",
    State.STOPPED: "dim",
    State.ELSEWHERE: "cyan",
}
ORDER = ("postgres", "kafka", "issuer", "mail-sink")
# Where lines cannot be redrawn, how often a part that is still being prepared says how far it has come.
PREPARING_SECONDS = 3.0


class StartDisplay:
    """A table that is redrawn on a terminal, plain lines anywhere else."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._began = time.monotonic()
        self._lines: dict[str, tuple[State, str, float]] = {}
        self._said: dict[str, float] = {}
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(self._table(), console=self.console, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def report(self, part: str, state: State, detail: str) -> None:
        """Called by the platform at each change."""
        seconds = time.monotonic() - self._began
        self._lines[part] = (state, detail, seconds)
        if self._live is not None:
            self._live.update(self._table())
        elif state is not State.PREPARING or self._is_time_to_say(part, detail, seconds):
            self.console.print(f"{seconds:6.1f} s  {part:<13} {state:<11} {detail}", highlight=False)

    def _is_time_to_say(self, part: str, detail: str, seconds: float) -> bool:
        """Whether a part that has been at its preparation for a while may say so in a line of its own."""
        last = self._said.setdefault(part, seconds)
        if not detail or seconds - last < PREPARING_SECONDS:
            return False
        self._said[part] = seconds
        return True

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, title="Council Payments on one machine", title_justify="left")
        for heading in ("part", "state", "", "after"):
            table.add_column(heading, justify="right" if heading == "after" else "left")
        for part in sorted(self._lines, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER)):
            state, detail, seconds = self._lines[part]
            table.add_row(part, f"[{COLOURS[state]}]{state}[/]", detail, f"{seconds:.1f} s")
        return table


def say_where(console: Console, platform: Platform) -> None:
    """The addresses a person needs first."""
    console.print(
        f"\nGateway    {platform.gateway_url}\n"
        f"Mail sink  {platform.mail_url}\n"
        f"Services   {platform.service_url('supplier')}/docs (and the next four ports)\n"
        f"Data       {platform.around.folders.root}\n"
        "Token      make token ROLE=payments_assistant\n"
        "Stop       Ctrl-C, or `make stop`\n",
        highlight=False,
    )
