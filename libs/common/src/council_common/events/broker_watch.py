"""The log while the broker is away: one line when it goes, one a minute, one when it is back.

aiokafka writes several lines a second and connection, from tasks of its own, and none when all is well again. Here its
first warning makes us ask the broker; only while it answers are such lines worth reading one by one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from council_common.observability.logs import get_logger
from council_common.pause import pause

log = get_logger()

ASK_EVERY = 1.0
SAY_EVERY = 60.0
MOST_HELD = 100


class BrokerWatch(logging.Filter):
    """Holds back what aiokafka says of connections until it is known whether the broker answers; one a process."""

    def __init__(
        self, answers: Callable[[], Awaitable[bool]], *, ask_every: float = ASK_EVERY, say_every: float = SAY_EVERY
    ) -> None:
        super().__init__()
        self._answers = answers
        self._ask_every = ask_every
        self._say_every = say_every
        self._doubt = asyncio.Event()
        self._held: list[logging.LogRecord] = []
        self._silenced = 0
        self._away = False

    def is_away(self) -> bool:
        """Whether the broker was asked and did not answer."""
        return self._away

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is written at once: all are but aiokafka's warnings."""
        if record.levelno < logging.WARNING or not record.name.startswith("aiokafka") or record in self._held:
            return True
        self._silenced += 1
        if not self._away and len(self._held) < MOST_HELD:
            self._held.append(record)
        self._doubt.set()
        return False

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set."""
        with self._before_all_handlers():
            while not stop.is_set():
                await pause(stop, self._say_every, woken=self._doubt)
                if self._doubt.is_set() and not stop.is_set():
                    self._doubt.clear()
                    await self._ask(stop)

    async def _ask(self, stop: asyncio.Event) -> None:
        if await self._answers():
            for record in self._held:
                logging.getLogger(record.name).handle(record)
            self._forget()
            return
        self._away, began = True, time.monotonic()
        log.warning("broker_away")
        said = began
        while not stop.is_set() and not await self._answers():
            if time.monotonic() - said >= self._say_every:
                said = time.monotonic()
                log.warning("broker_still_away", seconds=round(said - began), lines_held_back=self._silenced)
            await pause(stop, self._ask_every)
        if not stop.is_set():
            log.warning("broker_back", seconds=round(time.monotonic() - began), lines_held_back=self._silenced)
        self._away = False
        self._forget()

    def _forget(self) -> None:
        self._held.clear()
        self._silenced = 0

    @contextmanager
    def _before_all_handlers(self) -> Iterator[None]:
        handlers = list(logging.getLogger().handlers)
        for handler in handlers:
            handler.addFilter(self)
        try:
            yield
        finally:
            for handler in handlers:
                handler.removeFilter(self)
