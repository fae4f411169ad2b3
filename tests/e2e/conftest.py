"""The whole platform, once for all stories: real PostgreSQL, Kafka, gateway, issuer and mail sink."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from council_local.folders import Folders
from council_local.platform import Platform
from council_local.ports import Ports
from council_local.scratch import scratch_folder

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("platform")


class Council:
    """People and systems of a council, as they reach the platform: through the gateway, with their tokens."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._clients: dict[tuple[str, str | None], httpx.AsyncClient] = {}

    def as_(self, role: str, name: str | None = None) -> httpx.AsyncClient:
        """Somebody in a role; "erp" is the system."""
        if (role, name) not in self._clients:
            token = (
                self.platform.machine_token("erp") if role == "erp" else self.platform.token(role, name=name, hours=2)
            )
            self._clients[role, name] = httpx.AsyncClient(
                base_url=self.platform.gateway_url, headers={"authorization": f"Bearer {token}"}, timeout=60
            )
        return self._clients[role, name]

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def mails_to(self, address: str) -> list[dict[str, Any]]:
        """What the mail sink holds for an address."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{self.platform.mail_url}/messages", params={"recipient": address})
        found: list[dict[str, Any]] = answer.json()["items"]
        return found


def a_reference(prefix: str) -> str:
    """A reference nobody used before."""
    return f"{prefix}-{next(_numbers):06d}"


async def until(look: Callable[[], Awaitable[Any]], *, seconds: float = 60) -> Any:
    """Poll until `look` gives something true; the value, or a failure that shows the last one."""
    last: Any = None
    try:
        async with asyncio.timeout(seconds):
            while not (last := await look()):
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"not within {seconds} seconds; last seen: {last!r}")
    return last


def created(answer: httpx.Response) -> Any:
    """The body of an answer that made something; the problem document otherwise."""
    assert answer.status_code in {200, 201, 202}, answer.text
    return answer.json()


@pytest.fixture(scope="session")
async def council() -> AsyncIterator[Council]:
    with scratch_folder("platform") as folder:
        async with Platform(Folders(folder), Ports.free(), environment={}) as platform:
            people = Council(platform)
            yield people
            await people.close()
