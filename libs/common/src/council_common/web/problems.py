"""Errors on the wire: RFC 9457 problem documents with a stable `code`, and the field that was wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from council_common.database.transient_faults import is_transient
from council_common.errors import BusinessError, FieldError, Unavailable
from council_common.fields import ACCOUNT_IN_TEXT
from council_common.observability.logs import get_logger
from council_common.observability.traces import current_trace_id
from council_common.web.field_errors import field_error

log = get_logger()

MEDIA_TYPE = "application/problem+json"


class ProblemFieldOut(BaseModel):
    """One wrong field: which, what was wrong, what would be right."""

    field: str
    problem: str
    expected: str | None = None


class ProblemOut(BaseModel):
    """A problem document (RFC 9457). `code` is stable: programs decide on it, people read `detail`."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str
    request_id: str | None = None
    trace_id: str | None = None
    errors: list[ProblemFieldOut] | None = None


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemOut, "description": HTTPStatus(status).phrase} for status in (401, 403, 404, 409, 422, 503)
}
REFUSED_BY_FRAMEWORK = {
    400: ("unreadable-body", "The body cannot be read: send JSON in UTF-8."),
    404: ("no-such-resource", "There is nothing at this address."),
    405: ("method-not-allowed", "This address does not take {method}; it takes {methods}."),
    413: (
        "body-too-large",
        "The body is over the bound of this resource. Send fewer items at a time, or use an import.",
    ),
}
"""Code and sentence of what FastAPI and Starlette refuse by themselves: their own words say no more than the status."""
_WITH_BODY = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
_WITH_VERSION = (HTTPStatus.BAD_REQUEST, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PRECONDITION_REQUIRED)


def document_problems(document: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document whose refusals stand under the media type they are sent with.

    FastAPI writes every model under `application/json`. Operations with a body may also answer 400 and 413, those with
    `If-Match` 400, 412 and 428.
    """
    for operations in document["paths"].values():
        for operation in operations.values():
            responses = operation["responses"]
            refusals = [response for status, response in responses.items() if status.startswith(("4", "5"))]
            for response in refusals:
                content = response.setdefault("content", {})
                if "application/json" in content:
                    content[MEDIA_TYPE] = content.pop("application/json")
            also = set(_WITH_BODY if "requestBody" in operation else ())
            if any(field["name"].lower() == "if-match" for field in operation.get("parameters", ())):
                also |= set(_WITH_VERSION)
            for status in sorted(also) if refusals else ():
                responses[str(int(status))] = {**refusals[0], "description": status.phrase}
    return document


def problem(
    request: Request,
    *,
    status: int,
    code: str,
    detail: str,
    errors: Sequence[FieldError] = (),
    extra: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """A problem response for a request."""
    body: dict[str, Any] = {
        "type": f"urn:council-payments:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": request.url.path,
        "request_id": getattr(request.state, "request_id", None),
        "trace_id": current_trace_id(),
        **(extra or {}),
    }
    if errors:
        body["errors"] = [error.as_dict() for error in errors]
    content = json.dumps({name: value for name, value in body.items() if value is not None}, default=str)
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def install_problem_handlers(app: FastAPI) -> None:
    """Make every refusal of an app a problem document. What is no refusal, `RequestContext` gives to `answer_fault`."""
    app.add_exception_handler(BusinessError, _business_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


async def _business_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, BusinessError):  # for the type checker: registered for this class only
        raise error
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = 'Bearer realm="council-payments"'
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = "5"
    return problem(
        request,
        status=error.status,
        code=error.code,
        detail=error.detail,
        errors=error.errors,
        extra=error.extra,
        headers=headers,
    )


async def _validation_error(request: Request, error: Exception) -> Response:
    details = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [field_error(detail) for detail in details[:100]]
    if [error.field for error in errors] == ["body"] and "json" not in request.headers.get("content-type", ""):
        errors = [FieldError("body", "not sent as JSON", "the header Content-Type: application/json")]
    code, sentence = "malformed", "The request does not have the form this resource takes; see errors."
    if any(detail["type"] == ACCOUNT_IN_TEXT for detail in details):
        code, sentence = "bank-account-in-text", "Bank details are not written into text that others read; see errors."
    return problem(request, status=422, code=code, detail=sentence, errors=errors)


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):  # for the type checker: registered for this class only
        raise error
    code, detail = REFUSED_BY_FRAMEWORK.get(error.status_code, ("refused", str(error.detail)))
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = _methods_at(request)
        detail = detail.format(method=request.method, methods=" and ".join(methods))
        headers["allow"] = ", ".join(methods)
    return problem(request, status=error.status_code, code=code, detail=detail, headers=headers)


def _methods_at(request: Request) -> list[str]:
    """Every method of the address a request came to; Starlette names those of its first route."""
    paths = [(context.path or "", context.methods or set()) for context in iter_route_contexts(request.app.routes)]
    address = next(path for path, _ in paths if compile_path(path)[0].match(request.url.path))
    return sorted({method for path, methods in paths if path == address for method in methods})


async def answer_fault(request: Request, error: Exception) -> Response:
    """What no rule raised: 503 for what passes by itself, 500 for a fault of ours; never values or stack traces."""
    if is_transient(error):
        log.warning("unavailable_for_the_moment", cause=type(error).__name__)
        return await _business_error(
            request, Unavailable("What this needs is not available for the moment; please try again.")
        )
    log.error("request_failed", exc_info=error)
    return problem(
        request,
        status=500,
        code="unexpected",
        detail="Something went wrong on our side. Nothing was changed. Quote the request id to support.",
    )
