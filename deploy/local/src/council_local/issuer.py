"""A small identity provider on loopback: discovery, keys, and client credentials for machines.

It stands in for the council's own provider, and its port offers no way for a person to sign in: people's tokens on one
machine come from `make token`, which asks over a socket in the folder of the keys, or reads the same key.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from council_local.ask_token import SOCKET
from council_local.basic_sign_in import basic_credentials
from council_local.keys import ALGORITHM, MachineClient, machine_clients
from council_local.ports import LOOPBACK, LOOPBACK_NAMES, issuer_url
from council_local.tokens import MACHINE_SECONDS, Tokens, UnknownRoleError

FORM_LIMIT_BYTES = 16 * 1024
QUESTION_SECONDS = 5.0


def issuer_app(keys: Path, issuer: str) -> Starlette:
    """The provider as an application; the keys are made when they are not there."""
    tokens = Tokens.of(keys, issuer)
    clients = machine_clients(keys)

    async def discovery(_: Request) -> Response:
        return JSONResponse(_discovery(issuer))

    async def jwks(_: Request) -> Response:
        return JSONResponse({"keys": [tokens.key.public_jwk]}, headers={"Cache-Control": "max-age=60"})

    async def token(request: Request) -> Response:
        body = await request.body()
        if len(body) > FORM_LIMIT_BYTES:
            return _refusal(413, "invalid_request")
        form = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return _refusal(400, "unsupported_grant_type")
        client = _client_of(request, form, clients)
        if client is None:
            return _refusal(401, "invalid_client")
        answer = {"access_token": tokens.for_machine(client), "token_type": "Bearer"}
        return JSONResponse({**answer, "expires_in": MACHINE_SECONDS}, headers={"Cache-Control": "no-store"})

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    routes = [
        Route("/.well-known/openid-configuration", discovery),
        Route("/jwks.json", jwks),
        Route("/token", token, methods=["POST"]),
        Route("/health/live", live),
    ]
    guard = Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK_NAMES)
    return Starlette(routes=routes, middleware=[guard])


def serve_issuer(keys: Path, port: int) -> None:
    os.umask(0o077)
    issuer = issuer_url(port)
    app, tokens = issuer_app(keys, issuer), Tokens.of(keys, issuer)
    # The name of a socket may have a hundred characters only: from inside its folder it is short.
    os.chdir(keys)
    config = uvicorn.Config(app, host=LOOPBACK, port=port, log_level="warning", access_log=False, ws="none")
    asyncio.run(_serve(uvicorn.Server(config), tokens))


async def _serve(server: uvicorn.Server, tokens: Tokens) -> None:
    async with await answer_on_socket(SOCKET, tokens):
        await server.serve()


async def answer_on_socket(path: str, tokens: Tokens) -> asyncio.Server:
    """Make people's tokens for the one who may open the socket: the owner of its folder, who could read the key itself.

    A question is two lines, roles and name; the answer a token, or an empty line and why there is none.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            async with asyncio.timeout(QUESTION_SECONDS):
                roles, name = [(await reader.readuntil()).decode().strip() for _ in range(2)]
            try:
                text = tokens.for_person(roles, name=name or None)
            except UnknownRoleError as error:
                text = f"\n{error}"
            writer.write(text.encode())
            await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(answer, path, limit=FORM_LIMIT_BYTES)


def _discovery(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwks.json",
        "token_endpoint": f"{issuer}/token",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "response_types_supported": ["none"],
        "subject_types_supported": ["public"],
    }


def _client_of(request: Request, form: dict[str, str], clients: dict[str, MachineClient]) -> MachineClient | None:
    """Who signs in, by Basic authentication or in the form (RFC 6749 §2.3.1); None for a wrong secret."""
    name, secret = basic_credentials(request) or (form.get("client_id", ""), form.get("client_secret", ""))
    client = clients.get(name)
    if client is None or not hmac.compare_digest(client.secret.encode(), secret.encode()):
        return None
    return client


def _refusal(status: int, error: str) -> Response:
    headers = {"WWW-Authenticate": "Basic"} if status == 401 else {}
    return JSONResponse({"error": error}, status_code=status, headers=headers)
