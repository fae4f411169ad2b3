"""At the edge of every request: its id, trace and time are bound once, measured once."""

from __future__ import annotations

import re
import time

import structlog
from opentelemetry import trace
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from council_common.ids import new_id
from council_common.observability.logs import get_logger
from council_common.observability.metrics import REQUESTS
from council_common.observability.traces import span
from council_common.web.problems import REFUSED_BY_FRAMEWORK, answer_fault, problem

log = get_logger()

_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,100}$")
_TOO_LARGE = 413
_QUIET = ("/health/", "/metrics")


class RequestContext:
    """Gives each request an id (the gateway's, or a new one), a trace, a log line, a measurement and an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.match(given) else str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status, answered = 500, False
        began = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                answered = True
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
                if _is_plain_413(message):
                    await _too_large(Request(scope))(scope, receive, send)
                    return
            elif status == _TOO_LARGE and message.get("body") == b"Content Too Large":
                return
            await send(message)

        parent = {"traceparent": headers["traceparent"]} if "traceparent" in headers else None
        with span(f"{scope['method']}", parent=parent, kind=trace.SpanKind.SERVER):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as fault:
                if answered:  # its beginning is on the way: only the end of the connection says that it is not whole
                    raise
                await (await answer_fault(Request(scope), fault))(scope, receive, send_with_id)
            finally:
                self._log(scope, status, time.perf_counter() - began)
                structlog.contextvars.unbind_contextvars("request_id", "actor")

    def _log(self, scope: Scope, status: int, seconds: float) -> None:
        if scope["path"].startswith(_QUIET):
            return
        route = getattr(scope.get("route"), "path", "unmatched")
        REQUESTS.labels(scope["method"], route, str(status)).observe(seconds)
        log.info("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))


def _is_plain_413(message: Message) -> bool:
    """Starlette's own answer to a body over the bound is plain text: the one error that is no problem document."""
    content_type = Headers(raw=message["headers"]).get("content-type", "")
    return bool(message["status"] == _TOO_LARGE) and content_type.startswith("text/plain")


def _too_large(request: Request) -> Response:
    code, detail = REFUSED_BY_FRAMEWORK[_TOO_LARGE]
    return problem(request, status=_TOO_LARGE, code=code, detail=detail)
