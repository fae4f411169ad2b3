"""Which request goes where, how long it may take, how large it may be, and when it is tried again."""

from __future__ import annotations

from typing import Any

from council_gateway.table import Resource, Table, document_path

_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
JWT_FILTER = "envoy.filters.http.jwt_authn"
BUFFER_FILTER = "envoy.filters.http.buffer"

_NO_TOKEN = {JWT_FILTER: {"@type": f"{_FILTERS}.jwt_authn.v3.PerRouteConfig", "disabled": True}}
_NO_BUFFER = {BUFFER_FILTER: {"@type": f"{_FILTERS}.buffer.v3.BufferPerRoute", "disabled": True}}

# The service never saw these requests, so trying again is safe for a POST as well.
_NEVER_SENT = "connect-failure,refused-stream,reset-before-request"
_LARGEST_LENGTH = 2**63 - 1


def route_config(table: Table, *, default_body_bytes: int) -> dict[str, Any]:
    """One virtual host: the gateway's own paths, the API documents, the resources, and 404 for the rest."""
    routes = [
        _live(),
        *(_document(service) for service in table.services),
        *(route for resource in table.resources for route in _of(resource, default_body_bytes)),
        _nobody(),
    ]
    host = {
        "name": "council",
        "domains": ["*"],
        "request_headers_to_remove": ["x-envoy-external-address", "x-envoy-expected-rq-timeout-ms"],
        "retry_policy": _retry(_NEVER_SENT),
        "routes": routes,
    }
    return {"name": "council", "virtual_hosts": [host]}


def _live() -> dict[str, Any]:
    return {
        "name": "live",
        "match": {"path": "/health/live"},
        "direct_response": {"status": 200, "body": {"inline_string": "ok\n"}},
        "typed_per_filter_config": _NO_TOKEN,
    }


def _document(service: str) -> dict[str, Any]:
    """A service's API document is public: it says what may be asked, never what the answer is."""
    return {
        "name": f"openapi-{service}",
        "match": {"path": document_path(service), "headers": [_method("GET|HEAD")]},
        "route": {"cluster": service, "timeout": "10s", "prefix_rewrite": "/openapi.json"},
        "typed_per_filter_config": _NO_TOKEN,
    }


def _nobody() -> dict[str, Any]:
    """Unknown is unknown, with a token or without, as Kubernetes' gateways answer too."""
    return {
        "name": "nobody",
        "match": {"prefix": "/"},
        "direct_response": {"status": 404},
        "typed_per_filter_config": _NO_TOKEN | _NO_BUFFER,
    }


def _of(resource: Resource, default_body_bytes: int) -> list[dict[str, Any]]:
    return _upload(resource) if resource.kind.streamed else _json(resource, default_body_bytes)


def _json(resource: Resource, default_body_bytes: int) -> list[dict[str, Any]]:
    """Questions may be asked again when the connection breaks; changes only when they were never sent."""
    asked: dict[str, Any] = {
        "name": f"{resource.slug}.read",
        "match": {"path_separated_prefix": resource.path, "headers": [_method("GET|HEAD|OPTIONS")]},
        "route": _to(resource) | {"retry_policy": _retry(f"{_NEVER_SENT},reset")},
    }
    changed: dict[str, Any] = {
        "name": resource.slug,
        "match": {"path_separated_prefix": resource.path},
        "route": _to(resource),
    }
    if resource.kind.max_body_bytes != default_body_bytes:
        limit = {"max_request_bytes": resource.kind.max_body_bytes}
        changed["typed_per_filter_config"] = {
            BUFFER_FILTER: {"@type": f"{_FILTERS}.buffer.v3.BufferPerRoute", "buffer": limit}
        }
    return [asked, changed]


def _upload(resource: Resource) -> list[dict[str, Any]]:
    """A file streams through: its declared length is checked here, the service counts a chunked one."""
    too_large = {"start": resource.kind.max_body_bytes + 1, "end": _LARGEST_LENGTH}
    return [
        {
            "name": f"{resource.slug}.too-large",
            "match": {
                "path_separated_prefix": resource.path,
                "headers": [{"name": "content-length", "range_match": too_large}],
            },
            "direct_response": {"status": 413},
            # The buffer filter would wait for the whole body before the refusal.
            "typed_per_filter_config": _NO_BUFFER,
        },
        {
            "name": resource.slug,
            "match": {"path_separated_prefix": resource.path},
            # What was streamed away cannot be sent again.
            "route": _to(resource) | {"retry_policy": {"retry_on": "connect-failure", "num_retries": 0}},
            "typed_per_filter_config": _NO_BUFFER,
        },
    ]


def _to(resource: Resource) -> dict[str, Any]:
    # The stream may be silent as long as the answer may take (a file is read after its last byte has come), or
    # the listener's shorter limit would win.
    seconds = f"{resource.kind.timeout_seconds}s"
    return {"cluster": resource.service, "timeout": seconds, "idle_timeout": seconds}


def _method(pattern: str) -> dict[str, Any]:
    return {"name": ":method", "string_match": {"safe_regex": {"regex": pattern}}}


def _retry(on: str) -> dict[str, Any]:
    """Bridges about two seconds of a restart; all pauses together stay far below the shortest time-out."""
    return {
        "retry_on": on,
        "num_retries": 5,
        "retry_back_off": {"base_interval": "0.1s", "max_interval": "0.5s"},
    }
