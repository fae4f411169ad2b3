"""Starts the platform for the demonstration, or joins the one that runs already."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from council_local.child import recorded_process
from council_local.claim import SUPERVISOR
from council_local.display import StartDisplay
from council_local.part import answers_http
from council_local.platform import Platform
from rich.console import Console

from demo.council_api import until

JOINING_SECONDS = 180.0


@dataclass(frozen=True)
class Running:
    """A platform that works, and whether it is ours to end."""

    platform: Platform
    ours: bool


@asynccontextmanager
async def running_platform(console: Console) -> AsyncIterator[Running]:
    """The platform in `.data`: started here and ended at the end, unless it runs already."""
    with StartDisplay(console) as display:
        platform = Platform(report=display.report)
        ours = recorded_process(platform.around.folders.pid(SUPERVISOR)) is None
        if ours:
            await platform.start()
        else:
            console.print("The platform runs already: joining it.")
            await until(_answers(platform), what="the running platform to be ready", seconds=JOINING_SECONDS)
    try:
        yield Running(platform, ours)
    finally:
        if ours:
            console.print("Ending everything, the gateway first and the database last …")
            await platform.stop()


def _answers(platform: Platform) -> Callable[[], Awaitable[bool]]:
    admin = platform.around.ports.gateway_admin

    async def ready() -> bool:
        return answers_http(admin, "/ready")

    return ready
