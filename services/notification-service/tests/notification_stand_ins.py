"""A mail server, a supplier-service and a debt-service on loopback: real sockets, tiny minds."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import uvicorn
from aiosmtpd.smtp import SMTP
from council_common.ids import new_id
from council_common.testing.issuer import TestIssuer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def words(mail: EmailMessage) -> str:
    """The text of a mail, its line ends as we write them."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@dataclass
class MailServer:
    """Takes mail and keeps it. `refusals` answers RCPT for an address; `on_data` may do anything, or hang up.

    `takes_connections`: how many it takes side by side; more get 421. `greetings`: how we introduced ourselves.
    """

    port: int = 0
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    on_data: Callable[[Any], str | None] | None = None
    meanwhile: Callable[[], Awaitable[None]] | None = None
    greetings: list[str] = field(default_factory=list)
    takes_connections: int = 100
    _open: int = 0

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.greetings.append(hostname)
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.raw.append(envelope.content)
        self.envelopes.append((envelope.mail_from, tuple(envelope.rcpt_tos)))
        if self.meanwhile:
            await self.meanwhile()
        answer = self.on_data(server) if self.on_data else None
        return answer or "250 Taken"

    def taken(self) -> list[EmailMessage]:
        """The mail, oldest first."""
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.raw]  # type: ignore[arg-type]

    def to(self, address: str) -> list[EmailMessage]:
        """The mail one address was sent, oldest first."""
        return [mail for mail, (_, to) in zip(self.taken(), self.envelopes, strict=True) if address in to]


class _Counted(SMTP):  # type: ignore[misc]
    """The conversation of one connection; over the server's bound it is turned away before it begins."""

    def connection_made(self, transport: Any) -> None:
        sink = self.event_handler
        if sink._open >= sink.takes_connections:
            transport.write(b"421 4.7.0 Too many connections\r\n")
            transport.close()
            return
        sink._open += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self.event_handler._open -= 1
            super().connection_lost(error)


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    sink = MailServer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Counted(sink, loop=loop, hostname="sink.test"), "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    async with server:
        yield sink


_DEBT = {
    "customer_id": "0195a1b2-0000-7000-8000-0000000000f2",
    "number": "R0000123",
    "due_on": "2026-03-03",
    "outstanding_pence": 4_550,
    "status": "overdue",
    "on_hold": False,
}


def a_debt(**more: Any) -> dict[str, Any]:
    """A receivable as debt-service shows it."""
    return _DEBT | more


@dataclass
class OtherServices:
    """Suppliers, customers and receivables by ids, as supplier- and debt-service answer them.

    And `GET /v1/bank-account-changes/{id}/warning-contacts`. `meanwhile` happens while a question is answered.
    """

    issuer: TestIssuer
    url: str = ""
    suppliers: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    customers: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    receivables: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    holds: dict[UUID, list[dict[str, Any]]] = field(default_factory=dict)
    missing: set[UUID] = field(default_factory=set)
    warning_contacts: dict[UUID, list[dict[str, Any]]] = field(default_factory=dict)
    away: bool = False
    contacts_refused: int | None = None
    speaks_otherwise: bool = False
    meanwhile: Callable[[], Awaitable[None]] | None = None
    questions: list[tuple[str, int]] = field(default_factory=list)

    def forget(self) -> None:
        """A new test begins."""
        self.suppliers, self.customers, self.warning_contacts, self.questions = {}, {}, {}, []
        self.receivables, self.holds, self.missing = {}, {}, set()
        self.away, self.contacts_refused, self.speaks_otherwise, self.meanwhile = False, None, False, None

    async def token(self, _: Request) -> Response:
        return JSONResponse({"access_token": self.issuer.token("service"), "expires_in": 300})

    async def discovery(self, _: Request) -> Response:
        return JSONResponse({"issuer": self.url, "token_endpoint": f"{self.url}/token"})

    async def list_records(self, request: Request) -> Response:
        ids = request.query_params.getlist("ids")
        records = {
            "/v1/suppliers": self.suppliers,
            "/v1/customers": self.customers,
            # Any debt is there, as the notices of these tests say of it.
            "/v1/receivables": {UUID(one): _DEBT for one in ids if UUID(one) not in self.missing} | self.receivables,
        }[request.url.path]
        self.questions.append((request.url.path, len(ids)))
        if (refused := self._refused(request)) is not None:
            return refused
        if self.meanwhile:
            await self.meanwhile()
        if not 0 < len(ids) <= int(request.query_params["limit"]) <= 200:
            return JSONResponse({"code": "malformed"}, status_code=422)
        if self.speaks_otherwise:
            return JSONResponse({"data": []})
        found = [{"id": found_id, **records[UUID(found_id)]} for found_id in ids if UUID(found_id) in records]
        return JSONResponse({"items": found, "next": None})

    async def list_holds(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        assert request.query_params["released"] == "false"
        found = self.holds.get(UUID(request.query_params["customer_id"]), [])
        return JSONResponse({"items": found, "next": None})

    async def list_warning_contacts(self, request: Request) -> Response:
        change_id = request.path_params["change_id"]
        if (refused := self._refused(request)) is not None:
            return refused
        if self.contacts_refused:
            return JSONResponse({"code": "refused"}, status_code=self.contacts_refused)
        if change_id not in self.warning_contacts:
            return JSONResponse({"code": "bank-account-change-not-found"}, status_code=404)
        contacts = self.warning_contacts[change_id]
        return JSONResponse({"change_id": str(change_id), "supplier_id": str(new_id()), "contacts": contacts})

    def _refused(self, request: Request) -> Response | None:
        if self.away:
            return JSONResponse({"code": "unavailable"}, status_code=503)
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return JSONResponse({"code": "unauthenticated"}, status_code=401)
        return None


@asynccontextmanager
async def other_services(issuer: TestIssuer) -> AsyncIterator[OtherServices]:
    others = OtherServices(issuer)
    routes = [
        Route("/.well-known/openid-configuration", others.discovery),
        Route("/token", others.token, methods=["POST"]),
        Route("/v1/suppliers", others.list_records),
        Route("/v1/customers", others.list_records),
        Route("/v1/receivables", others.list_records),
        Route("/v1/holds", others.list_holds),
        Route("/v1/bank-account-changes/{change_id:uuid}/warning-contacts", others.list_warning_contacts),
    ]
    config = uvicorn.Config(Starlette(routes=routes), port=0, log_config=None, lifespan="off")
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    others.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield others
    server.should_exit = True
    await serving


class _Server(uvicorn.Server):
    def capture_signals(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()
