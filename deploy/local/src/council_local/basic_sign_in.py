"""Basic authentication (RFC 7617), for what only its owner may open on a machine that others use as well."""

from __future__ import annotations

import base64
import binascii
import hmac
from urllib.parse import unquote

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

ALWAYS_OPEN = "/health/live"


def basic_credentials(connection: HTTPConnection) -> tuple[str, str] | None:
    """The name and the secret a client shows, or None."""
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return unquote(name), unquote(secret)


class AskForSecret:
    """Lets in who shows the secret; whether it is alive, anybody may ask."""

    def __init__(self, app: ASGIApp, *, secret: str, realm: str) -> None:
        self._app = app
        self._secret = secret.encode()
        self._asks = {"WWW-Authenticate": f'Basic realm="{realm}", charset="UTF-8"'}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == ALWAYS_OPEN or self._is_let_in(HTTPConnection(scope)):
            await self._app(scope, receive, send)
        else:
            refusal = PlainTextResponse("Ask `make status` for the address with its secret.\n", 401, self._asks)
            await refusal(scope, receive, send)

    def _is_let_in(self, connection: HTTPConnection) -> bool:
        _, secret = basic_credentials(connection) or ("", "")
        return hmac.compare_digest(self._secret, secret.encode())
