"""Tokens, limits, retries and refusals, as Envoy Gateway's policies.

Not everything can be said there as on one machine: retries know no method (so only requests that were never
sent are tried again), a token's expiry and skew have no setting, and rates count per route, not per caller
overall. The services verify tokens themselves, expiry included.
"""

from __future__ import annotations

import json
from typing import Any

from council_gateway.envoy.settings import AUDIENCE
from council_gateway.kubernetes.objects import GATEWAY, policy, target
from council_gateway.kubernetes.routes import NOBODY, OPEN, groups, route_name
from council_gateway.problems import (
    CONTENT_TYPE,
    RATE_LIMITED,
    TIMEOUT,
    TOO_LARGE,
    UNAUTHENTICATED,
    UNAVAILABLE,
    Problem,
)
from council_gateway.table import Kind, Table

_MEBIBYTE = 1_048_576
_REQUESTS_PER_SECOND = 200
# Dropped from every request at the edge, so only the gateway can have set it.
_SUBJECT_HEADER = "x-internal-sub"


def policies(table: Table) -> list[dict[str, Any]]:
    return [_tokens(), _no_tokens(), _traffic(), *(_for_kind(table, kind) for kind in table.kinds)]


def _tokens() -> dict[str, Any]:
    """Every route asks for a token; the issuer is set by each overlay."""
    provider = {
        "name": "issuer",
        "issuer": "https://id.example.gov.uk",
        "audiences": [AUDIENCE],
        "remoteJWKS": {
            "uri": "https://id.example.gov.uk/jwks.json",
            "cacheDuration": "300s",
            "failedRefetchDuration": "1s",
        },
        "extractFrom": {"headers": [{"name": "Authorization", "valuePrefix": "Bearer "}]},
        "claimToHeaders": [{"claim": "sub", "header": _SUBJECT_HEADER}],
    }
    return policy("SecurityPolicy", "tokens", [target("Gateway", GATEWAY)], {"jwt": {"providers": [provider]}})


def _no_tokens() -> dict[str, Any]:
    """A route's policy replaces the gateway's: the API documents are public, and unknown is 404 for all."""
    targets = [target("HTTPRoute", OPEN), target("HTTPRoute", NOBODY)]
    return policy("SecurityPolicy", "no-tokens", targets, {"authorization": {"defaultAction": "Allow"}})


def _traffic() -> dict[str, Any]:
    by_subject = {"clientSelectors": [{"headers": [{"name": _SUBJECT_HEADER, "type": "Distinct"}]}]}
    limit = {"limit": {"requests": _REQUESTS_PER_SECOND, "unit": "Second"}}
    spec = {
        "rateLimit": {"type": "Local", "local": {"rules": [by_subject | limit]}},
        "circuitBreaker": {
            "maxConnections": 200,
            "maxPendingRequests": 2000,
            "maxParallelRequests": 2000,
            "maxParallelRetries": 100,
        },
        "retry": {
            "numRetries": 5,
            "retryOn": {"triggers": ["connect-failure", "refused-stream", "reset-before-request"]},
            "perRetry": {"backOff": {"baseInterval": "200ms", "maxInterval": "1s"}},
        },
        "healthCheck": {
            "panicThreshold": 0,
            "active": {
                "type": "HTTP",
                "timeout": "1s",
                "interval": "2s",
                "unhealthyThreshold": 2,
                "healthyThreshold": 1,
                "http": {"path": "/health/serving", "expectedStatuses": [200]},
            },
            "passive": {
                "splitExternalLocalOriginErrors": True,
                "consecutiveLocalOriginFailures": 1,
                "interval": "1s",
                "baseEjectionTime": "2s",
                "maxEjectionPercent": 50,
            },
        },
        "timeout": {"tcp": {"connectTimeout": "500ms"}, "http": {"connectionIdleTimeout": "30s"}},
        "connection": {"bufferLimit": "256Ki"},
        "compressor": [{"type": "Gzip", "gzip": {}, "minContentLength": "1Ki"}],
        "responseOverride": [
            # A wrong audience is 403 to Envoy; services' own 403 are not local and stay as they are.
            _override(UNAUTHENTICATED, 401, 403),
            *(_override(each, each.status) for each in (TOO_LARGE, RATE_LIMITED, UNAVAILABLE, TIMEOUT)),
        ],
    }
    return policy("BackendTrafficPolicy", "traffic", [target("Gateway", GATEWAY)], spec)


def _override(problem: Problem, *statuses: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "statusCode": problem.status,
        "contentType": CONTENT_TYPE,
        "body": {"type": "Inline", "inline": json.dumps(problem.body(), separators=(",", ":"))},
    }
    if problem.retry_after_seconds:
        response["header"] = {"set": [{"name": "retry-after", "value": str(problem.retry_after_seconds)}]}
    match = {"statusCodes": [{"type": "Value", "value": status} for status in statuses]}
    return {"source": "Local", "match": match, "response": response}


def _for_kind(table: Table, kind: Kind) -> dict[str, Any]:
    """The size of a request; without the merge this policy would replace the gateway's, not add to it."""
    targets = [target("HTTPRoute", route_name(name, each)) for name, each, _ in groups(table) if each == kind]
    spec: dict[str, Any] = {
        "mergeType": "StrategicMerge",
        # A stream may be silent as long as its answer may take, or the edge's shorter limit would win.
        "timeout": {"http": {"streamIdleTimeout": f"{kind.timeout_seconds}s"}},
    }
    if kind.streamed:
        # What was streamed away cannot be sent again, and buffering must never sit on these routes.
        spec["retry"] = {"numRetries": 0}
    else:
        spec["requestBuffer"] = {"limit": f"{kind.max_body_bytes // _MEBIBYTE}Mi"}
    return policy("BackendTrafficPolicy", kind.name, targets, spec)
