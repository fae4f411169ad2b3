"""HTTPRoutes, one per service and kind of resource: size and retry policies attach to whole routes."""

from __future__ import annotations

import json
from typing import Any

from council_gateway.kubernetes.objects import POLICY_GROUP, path, route, service
from council_gateway.problems import CONTENT_TYPE, NOT_FOUND, TOO_LARGE, Problem
from council_gateway.table import Kind, Resource, Table, document_path

OPEN = "open"
NOBODY = "nobody"


def route_name(service_name: str, kind: Kind) -> str:
    return f"{service_name}-{kind.name}"


def groups(table: Table) -> list[tuple[str, Kind, list[Resource]]]:
    """The resources of each service by kind; a service without uploads has no upload route."""
    found = []
    for name in table.services:
        for kind in table.kinds:
            members = [each for each in table.of_service(name) if each.kind == kind]
            if members:
                found.append((name, kind, members))
    return found


def routes(table: Table) -> list[dict[str, Any]]:
    """Every HTTPRoute, and the gateway's own answers they point to."""
    return [
        *(_of(name, kind, members) for name, kind, members in groups(table)),
        route(OPEN, [_live(), *(_document(name) for name in table.services)]),
        route(NOBODY, [{"matches": [path("PathPrefix", "/")], "filters": [_answer(NOT_FOUND.code)]}]),
        _direct("live", 200, "text/plain", "ok\n"),
        _refusal(NOT_FOUND.code, NOT_FOUND),
        _refusal("too-large", TOO_LARGE),
    ]


def _of(name: str, kind: Kind, members: list[Resource]) -> dict[str, Any]:
    rules: list[dict[str, Any]] = []
    if kind.streamed:
        length = {
            "name": "content-length",
            "type": "RegularExpression",
            "value": digits_above(kind.max_body_bytes),
        }
        refused = [path("PathPrefix", each.path) | {"headers": [length]} for each in members]
        rules.append({"name": "too-large", "matches": refused, "filters": [_answer("too-large")]})
    rules.append(
        {
            "name": kind.name,
            # PathPrefix compares whole segments: /v1/invoices, never /v1/invoicesX.
            "matches": [path("PathPrefix", each.path) for each in members],
            "timeouts": {"request": f"{kind.timeout_seconds}s"},
            "backendRefs": service(name),
        }
    )
    return route(route_name(name, kind), rules)


def _live() -> dict[str, Any]:
    return {"name": "live", "matches": [path("Exact", "/health/live")], "filters": [_answer("live")]}


def _document(name: str) -> dict[str, Any]:
    rewrite = {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/openapi.json"}}
    return {
        "name": name,
        "matches": [path("Exact", document_path(name)) | {"method": "GET"}],
        "filters": [{"type": "URLRewrite", "urlRewrite": rewrite}],
        "timeouts": {"request": "10s"},
        "backendRefs": service(name),
    }


def _answer(name: str) -> dict[str, Any]:
    reference = {"group": POLICY_GROUP, "kind": "HTTPRouteFilter", "name": name}
    return {"type": "ExtensionRef", "extensionRef": reference}


def _refusal(name: str, problem: Problem) -> dict[str, Any]:
    """A direct response is not formatted by Envoy: no path, no request id."""
    body = {key: value for key, value in problem.body().items() if key not in {"instance", "request_id"}}
    return _direct(name, problem.status, CONTENT_TYPE, json.dumps(body, separators=(",", ":")))


def _direct(name: str, status: int, content_type: str, body: str) -> dict[str, Any]:
    response = {"statusCode": status, "contentType": content_type, "body": {"type": "Inline", "inline": body}}
    return {
        "apiVersion": f"{POLICY_GROUP}/v1alpha1",
        "kind": "HTTPRouteFilter",
        "metadata": {"name": name},
        "spec": {"directResponse": response},
    }


def digits_above(number: int) -> str:
    """A regular expression for the decimal numbers above one: Gateway API has no range match on headers.

    >>> digits_above(255)
    '[0-9]{4,}|[3-9][0-9]{2}|2[6-9][0-9]{1}|25[6-9]'
    """
    digits = str(number)
    found = [f"[0-9]{{{len(digits) + 1},}}"]
    for position, digit in enumerate(digits):
        rest = len(digits) - position - 1
        if digit != "9":
            tail = f"[0-9]{{{rest}}}" if rest else ""
            found.append(f"{digits[:position]}[{int(digit) + 1}-9]{tail}")
    return "|".join(found)
