"""One part of the platform: a program that has to be prepared, started, found ready and ended."""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from council_local.child import Child, Program
from council_local.ports import LOOPBACK

POLL_SECONDS = 0.05


class PartFailedError(RuntimeError):
    """A part ended, or did not become ready in time; the message carries the end of its log."""


class Part:
    """A program and the question whether it can do its work now."""

    def __init__(self, program: Program, *, ready: Callable[[], bool], patience: float = 120.0) -> None:
        self.child = Child(program)
        self.patience = patience
        self._ready = ready

    @property
    def name(self) -> str:
        return self.child.program.name

    def prepare(self) -> None:
        """What has to happen before the first start; may take seconds, may run in a thread."""

    def clear_way(self) -> None:
        """End or wait for what an earlier life of this part left behind."""

    def start(self) -> None:
        if not self.is_alive():
            self.clear_way()
            self.child.start()

    async def begin(self) -> None:
        """Start without holding up the event loop; the child itself is made here: it belongs to its thread."""
        if not self.is_alive():
            await asyncio.to_thread(self.clear_way)
            self.child.start()

    def stop(self) -> None:
        self.child.stop()

    def kill(self) -> None:
        self.child.kill()

    def is_alive(self) -> bool:
        return self.child.is_alive()

    def is_ready(self) -> bool:
        return self.is_alive() and self._ready()

    def wait_until_ready(self) -> None:
        """Block until the part can work; for callers without an event loop."""
        deadline = time.monotonic() + self.patience
        while not self.is_ready():
            self._give_up_when_hopeless(deadline)
            time.sleep(POLL_SECONDS)

    async def become_ready(self) -> None:
        """Return when the part can work; raises PartFailedError when it cannot."""
        deadline = time.monotonic() + self.patience
        while not await asyncio.to_thread(self.is_ready):
            self._give_up_when_hopeless(deadline)
            await asyncio.sleep(POLL_SECONDS)

    def _give_up_when_hopeless(self, deadline: float) -> None:
        if not self.is_alive():
            raise PartFailedError(f"{self.name} ended with code {self.child.exit_code}.\n{self.end_of_log()}")
        if time.monotonic() > deadline:
            late = f"{self.name} was not ready after {self.patience:.0f} s."
            raise PartFailedError(f"{late}\n{self.end_of_log()}")

    def end_of_log(self, *, lines: int = 15) -> str:
        """The end of the log, which mostly says why."""
        log = self.child.program.log
        if not log.exists():
            return f"(nothing in {log})"
        end = log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join([f"From {log}:", *(f"  {line}" for line in end)])


def answers_http(port: int, path: str, *, timeout: float = 2.0) -> bool:
    """Whether GET of a loopback path says 200."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}", timeout=timeout) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
