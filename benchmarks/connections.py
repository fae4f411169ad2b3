"""HTTP clients that cost next to nothing: what is measured shares two cores with whoever asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

OK = range(200, 300)


def request(method: str, path: str, *, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire, made before the clock starts."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection:
    """One connection that is kept; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, url: str) -> Connection:
        """Connect to `http://host:port`."""
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def ask(self, wire: bytes) -> bytes:
        """Send a request; the answer's body. Raises RuntimeError for any answer but a good one."""
        self._writer.write(wire)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").casefold()
        status = int(head[9:12])
        length = head.partition("content-length:")[2].partition("\r\n")[0]
        body = await self._reader.readexactly(int(length)) if length else await self._chunks()
        if status not in OK:
            raise RuntimeError(f"{status}: {body.decode(errors='replace')}")
        return body

    async def json(self, wire: bytes) -> Any:
        """The answer, read as JSON."""
        return json.loads(await self.ask(wire))

    async def _chunks(self) -> bytes:
        """A body in chunks, as the gateway may send it."""
        body = b""
        while size := int(await self._reader.readline(), 16):
            body += (await self._reader.readexactly(size + 2))[:size]
        await self._reader.readline()
        return body

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def send_all(
    connections: Iterable[Connection], wires: Iterable[bytes], *, answers: list[bytes] | None = None
) -> int:
    """Send requests over several connections, each as soon as its one before is answered; returns how many.

    The bodies of the answers are added to `answers`, in no order.
    """
    waiting, sent = iter(wires), 0

    async def keep_sending(connection: Connection) -> None:
        nonlocal sent
        for wire in waiting:
            body = await connection.ask(wire)
            sent += 1
            if answers is not None:
                answers.append(body)

    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(keep_sending(connection))
    return sent
