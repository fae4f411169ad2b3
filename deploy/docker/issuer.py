"""The local issuer in a container: the same application, known to the other containers by another name."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn
from council_local.issuer import issuer_app

Message = MutableMapping[str, Any]


class AsLoopback:
    """Lets requests for any host name through to the application.

    On a desk it refuses host names other than loopback's, because a web page could bring one of its own. In its
    container nothing but the platform's network reaches it, under the name `issuer`.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "http":
            kept = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope = {**scope, "headers": [*kept, (b"host", b"localhost")]}
        await self.app(scope, receive, send)


if __name__ == "__main__":
    application = AsLoopback(issuer_app(Path(os.environ["KEYS"]), os.environ["OIDC_ISSUER"]))
    uvicorn.run(
        application,
        host=os.environ["HOST"],
        port=int(os.environ["PORT"]),
        log_level="warning",
        access_log=False,
        server_header=False,
    )
