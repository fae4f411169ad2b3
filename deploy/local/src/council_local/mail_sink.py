"""A mail server that delivers nothing: it keeps what it is sent and refuses what is made to be refused."""

from __future__ import annotations

import asyncio
import hmac
import html
import logging
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from council_local.basic_sign_in import ALWAYS_OPEN, AskForSecret
from council_local.keys import secret_in
from council_local.mail_store import Envelope, MailStore
from council_local.ports import LOOPBACK, LOOPBACK_NAMES

# Failures have to be real to be handled. RFC 2606 reserves these domains for examples.
REFUSALS = {
    "bounce.example": "550 5.1.1 No such mailbox",
    "busy.example": "451 4.3.0 Mailbox busy, try again later",
}
SIZE_LIMIT_BYTES = 25 * 1024 * 1024
PAGE_LIMIT = 500


class SinkHandler:
    """The SMTP side: what aiosmtpd asks us, command by command."""

    def __init__(self, store: MailStore) -> None:
        self._store = store

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks for this name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        del server, session
        refusal = REFUSALS.get(address.rpartition("@")[2].lower())
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        del server, session
        raw = envelope.original_content or b""
        await self._store.keep(Envelope(envelope.mail_from or "", list(envelope.rcpt_tos), raw))
        return "250 Message kept"


async def start_smtp(store: MailStore, port: int, *, secret: str) -> asyncio.Server:
    """Listen for mail on loopback, from whoever shows the secret: other users of the machine reach the port, too."""
    loop = asyncio.get_running_loop()
    handler = SinkHandler(store)
    # That a secret goes in clear is warned of at every connection; on loopback nobody listens in.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")

    def sign_in(server: Any, session: Any, envelope: Any, mechanism: str, shown: Any) -> AuthResult:
        del server, session, envelope, mechanism
        right = isinstance(shown, LoginPassword) and hmac.compare_digest(shown.password, secret.encode())
        return AuthResult(success=right, handled=False)

    def protocol() -> SMTP:
        return SMTP(
            handler,
            loop=loop,
            hostname="mail-sink.localhost",
            data_size_limit=SIZE_LIMIT_BYTES,
            authenticator=sign_in,
            auth_required=True,
            auth_require_tls=False,
        )

    return await loop.create_server(protocol, LOOPBACK, port)


def page_app(store: MailStore, *, secret: str) -> Starlette:
    """The sink's page and its JSON, for people and for tests that count."""

    async def page(_: Request) -> Response:
        return HTMLResponse(_page(store.counts(), store.newest(limit=PAGE_LIMIT)))

    async def messages(request: Request) -> Response:
        query = request.query_params
        limit = min(int(query.get("limit", "100")), PAGE_LIMIT)
        items = store.messages(recipient=query.get("recipient", ""), after=int(query.get("after", "0")), limit=limit)
        return JSONResponse({"items": items, "next": items[-1]["id"] if len(items) == limit else None})

    async def one(request: Request) -> Response:
        message = store.one(request.path_params["number"])
        return JSONResponse(message) if message else JSONResponse({"error": "not found"}, status_code=404)

    async def raw(request: Request) -> Response:
        content = store.raw(request.path_params["number"])
        return Response(content or b"", status_code=200 if content else 404, media_type="text/plain")

    async def counts(_: Request) -> Response:
        return JSONResponse(store.counts())

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def empty(_: Request) -> Response:
        store.empty()
        return Response(status_code=204)

    routes = [
        Route("/", page),
        Route("/messages", messages, methods=["GET"]),
        Route("/messages", empty, methods=["DELETE"]),
        Route("/messages/{number:int}", one),
        Route("/messages/{number:int}/raw", raw),
        Route("/counts", counts),
        Route(ALWAYS_OPEN, live),
    ]
    guard = Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK_NAMES)
    ask = Middleware(AskForSecret, secret=secret, realm="mail sink")
    return Starlette(routes=routes, middleware=[guard, ask])


def serve_mail_sink(folder: Path, *, secret_file: Path, smtp_port: int, page_port: int) -> None:
    asyncio.run(_serve(folder, secret_in(secret_file), smtp_port, page_port))


async def _serve(folder: Path, secret: str, smtp_port: int, page_port: int) -> None:
    store = MailStore(folder)
    smtp = await start_smtp(store, smtp_port, secret=secret)
    app = page_app(store, secret=secret)
    config = uvicorn.Config(app, host=LOOPBACK, port=page_port, log_level="warning", access_log=False, ws="none")
    async with smtp:
        await uvicorn.Server(config).serve()


def _page(counts: dict[str, int], messages: list[dict[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td>{datetime.fromtimestamp(message['received_at'], UTC):%d %b %Y %H:%M:%S}"
        f"<td>{html.escape(', '.join(message['recipients']))}"
        f"<td><a href='/messages/{message['id']}'>{html.escape(message['subject']) or '(no subject)'}</a>"
        for message in messages
    )
    kept, distinct = counts["messages"], counts["distinct_message_ids"]
    shown = f" The newest {PAGE_LIMIT} are shown." if kept > PAGE_LIMIT else ""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Mail sink</title>"
        "<style>body{font:16px/1.4 sans-serif;margin:2rem}td,th{padding:.2rem 1rem;text-align:left}</style>"
        f"<h1>Mail sink</h1><p>{kept} messages, {distinct} different ones. Nothing here was delivered.{shown}</p>"
        f"<table><tr><th>Received (UTC)<th>To<th>Subject{rows}</table></html>"
    )
