"""A pause that ends early when the process shall stop."""

from __future__ import annotations

import asyncio


async def pause(stop: asyncio.Event, seconds: float, *, woken: asyncio.Event | None = None) -> None:
    """Wait so many seconds, or until `stop` or `woken` is set. A cancellation passes through."""
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, woken) if event is not None]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
