"""Pauses: one that ends early when the process shall stop, and a short one for the other tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")


async def pause(stop: asyncio.Event, seconds: float, *, woken: asyncio.Event | None = None) -> None:
    """Wait so many seconds, or until `stop` or `woken` is set. A cancellation passes through."""
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, woken) if event is not None]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def in_turns(items: Iterable[T], *, most: int = 100) -> AsyncIterator[T]:
    """Items one by one; after so many of them other tasks have their turn: thousands take more than a second."""
    for place, item in enumerate(items):
        if place % most == 0:
            await asyncio.sleep(0)
        yield item
