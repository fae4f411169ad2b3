"""Keeps the parts alive: restarts what died, with a growing pause, and cuts their logs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from council_local.child import rotate_log
from council_local.claim import ENDING_ORDER
from council_local.folders import Folders
from council_local.part import POLL_SECONDS, Part, PartFailedError

LOOK_SECONDS = 0.25
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# A part that lived this long has earned a fresh start.
GOOD_LIFE_SECONDS = 60.0
LOG_CHECK_SECONDS = 10.0


@dataclass
class Kept:
    """A part and what the keeper remembers of it."""

    part: Part
    wanted: bool = True
    pause: float = FIRST_PAUSE_SECONDS
    started_at: float = 0.0
    start_after: float | None = None


class Keeper:
    """Watches the parts of one platform."""

    def __init__(self, folders: Folders, *, report: Callable[[str, str], None]) -> None:
        self._folders = folders
        self._report = report
        self._kept: dict[str, Kept] = {}
        self._watching: asyncio.Task[None] | None = None

    def add(self, part: Part) -> None:
        self._kept[part.name] = Kept(part, started_at=time.monotonic())

    def parts(self) -> list[Part]:
        """In the order of their start."""
        return [kept.part for kept in self._kept.values()]

    def watch(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        next_log_check = time.monotonic() + LOG_CHECK_SECONDS
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for kept in list(self._kept.values()):
                await self._revive(kept)
            if time.monotonic() > next_log_check:
                next_log_check = time.monotonic() + LOG_CHECK_SECONDS
                await asyncio.to_thread(self._cut_logs)

    async def _revive(self, kept: Kept) -> None:
        """Start a dead part when its pause is over; the pause doubles with each death in quick succession."""
        now = time.monotonic()
        if not kept.wanted or kept.part.is_alive():
            return
        if kept.start_after is None:
            if now - kept.started_at > GOOD_LIFE_SECONDS:
                kept.pause = FIRST_PAUSE_SECONDS
            code = kept.part.child.exit_code
            self._report(kept.part.name, f"ended with code {code}, starts again in {kept.pause:.1f} s")
            kept.start_after = now + kept.pause
            kept.pause = min(kept.pause * 2, LONGEST_PAUSE_SECONDS)
        elif now >= kept.start_after:
            kept.start_after = None
            kept.started_at = now
            try:
                await kept.part.begin()
            except (OSError, psutil.Error, RuntimeError) as error:
                # Tried again after its pause; the other parts are still looked after.
                self._report(kept.part.name, f"could not be started: {error}")

    def _cut_logs(self) -> None:
        for log in self._folders.logs.glob("*.log"):
            with suppress(OSError):
                rotate_log(log)

    def kill(self, name: str, *, revive: bool) -> None:
        kept = self._kept[name]
        kept.wanted = revive
        kept.part.kill()

    async def restart(self, name: str) -> None:
        kept = self._kept[name]
        kept.wanted = False
        await asyncio.to_thread(kept.part.stop)
        await kept.part.begin()
        kept.started_at, kept.start_after, kept.wanted = time.monotonic(), None, True
        await kept.part.become_ready()

    async def ready(self, name: str) -> None:
        """Wait for a part that may be dead just now and about to be revived."""
        part = self._kept[name].part
        deadline = time.monotonic() + part.patience
        while not await asyncio.to_thread(part.is_ready):
            if time.monotonic() > deadline:
                raise PartFailedError(f"{name} did not come back.\n{part.end_of_log()}")
            await asyncio.sleep(POLL_SECONDS)

    async def stop_all(self, stopped: Callable[[str], None]) -> None:
        """End every part in the reverse order of the start."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
            self._watching = None
        for group in ENDING_ORDER:
            names = [name for name in group if name in self._kept]
            await asyncio.gather(*(asyncio.to_thread(self._kept[name].part.stop) for name in names))
            for name in names:
                stopped(name)
        self._kept.clear()
