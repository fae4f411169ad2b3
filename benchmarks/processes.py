"""Processes of the platform beside the benchmark: started, waited for, ended; how much memory they took."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from council_local.ports import LOOPBACK, free_ports, is_listening, issuer_url
from council_local.tokens import Tokens

START_SECONDS = 60.0
STOP_SECONDS = 20.0


def start(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """`python -m module arguments`; its log goes nowhere, as fast as into a file."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@asynccontextmanager
async def serving(
    module: str, *arguments: str, port: int, environment: Mapping[str, str] | None = None
) -> AsyncIterator[str]:
    """A server for the length of a block, by its URL."""
    process = start(module, *arguments, environment=environment)
    try:
        until = time.monotonic() + START_SECONDS
        while not is_listening(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{module} does not answer on port {port}")
            await asyncio.sleep(0.05)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        await asyncio.to_thread(end, process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def peak_mebibytes(module: str, *arguments: str, environment: Mapping[str, str]) -> float:
    """Run a command to its end; the most memory it had. Raises RuntimeError when it fails."""
    process = start(module, *arguments, environment=environment)
    _, status, used = await asyncio.to_thread(os.wait4, process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{module} {' '.join(arguments)} ended with {process.returncode}")
    return used.ru_maxrss / 1024


@asynccontextmanager
async def issuer(keys: Path) -> AsyncIterator[Tokens]:
    """An identity provider whose keys a service fetches; makes tokens."""
    port = free_ports(1)[0]
    async with serving("council_local", "issuer", "--keys", str(keys), "--port", str(port), port=port):
        yield Tokens.of(keys, issuer_url(port))


def service_environment(
    *, database_url: str, bootstrap: str, issuer: str, port: int = 0, more: Sequence[tuple[str, str]] = ()
) -> dict[str, str]:
    """The settings of a service (docs/architecture.md)."""
    return {
        "DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "OIDC_ISSUER": issuer,
        "PORT": str(port),
        **dict(more),
    }
