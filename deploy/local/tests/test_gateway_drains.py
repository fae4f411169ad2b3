"""The gateway that is asked to end finishes what runs, and takes nothing new."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from council_local import envoy
from council_local.envoy import Gateway, gateway
from council_local.folders import Folders
from council_local.ports import LOOPBACK, Ports, is_listening
from council_local.surroundings import SERVICES

SLOW_SECONDS = 1.5


@pytest.fixture
async def slow_service() -> AsyncIterator[int]:
    """Answers health checks at once, everything else after a while."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if "/health/" not in head:
            await asyncio.sleep(SLOW_SECONDS)
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
        )
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, LOOPBACK, 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def door(tmp_path: Path, slow_service: int) -> AsyncIterator[tuple[Gateway, str]]:
    ports, folders = Ports.free(), Folders(tmp_path)
    issuer = f"http://{LOOPBACK}:{ports.issuer}"
    part = gateway(folders, ports, service_ports=dict.fromkeys(SERVICES, slow_service), issuer=issuer)
    await part.begin()
    await part.become_ready()
    yield part, f"http://{LOOPBACK}:{ports.gateway}"
    await asyncio.to_thread(part.kill)


async def _answered(client: httpx.AsyncClient, url: str) -> httpx.Response:
    """A path that asks for no token, once the gateway has found its service healthy."""
    async with asyncio.timeout(30):
        while (answer := await client.get(f"{url}/openapi/supplier.json")).status_code != 200:
            await asyncio.sleep(0.1)
    return answer


async def test_what_runs_is_finished_before_the_gateway_ends(door: tuple[Gateway, str]) -> None:
    part, url = door
    async with httpx.AsyncClient(timeout=30) as client:
        await _answered(client, url)
        under_way = asyncio.create_task(client.get(f"{url}/openapi/supplier.json"))
        await asyncio.sleep(0.3)
        await asyncio.to_thread(part.stop)
        assert (await under_way).status_code == 200
    assert not part.is_alive()
    assert not is_listening(int(url.rsplit(":", 1)[1]))


async def test_what_never_ends_holds_it_up_for_a_bounded_time(
    door: tuple[Gateway, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    part, url = door
    async with httpx.AsyncClient(timeout=30) as client:
        await _answered(client, url)
        monkeypatch.setattr(envoy, "DRAIN_SECONDS", 0.2)
        under_way = asyncio.create_task(client.get(f"{url}/openapi/supplier.json"))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        await asyncio.to_thread(part.stop)
        assert not part.is_alive()
        assert time.monotonic() - began < SLOW_SECONDS
        with pytest.raises(httpx.TransportError):
            await under_way
