"""The gateway's own answers: each an RFC 9457 problem document, whichever filter refused."""

from __future__ import annotations

from typing import Any

from council_gateway.problems import BY_STATUS, CONTENT_TYPE, UNAUTHENTICATED, Problem

_CEL = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
_REALM = 'Bearer realm="council-payments"'


def local_replies() -> dict[str, Any]:
    """The mappers, first match wins.

    There is no global body format: it would rewrite the gateway's own 200 answers as well.
    """
    return {"mappers": [_bad_token(), *(_for(problem) for problem in BY_STATUS), _anything_else()]}


def _bad_token() -> dict[str, Any]:
    """A wrong audience is 403 to Envoy and 401 to RFC 6750; every bad token is made a 401."""
    denied = "response.code_details.startsWith('jwt_authn_access_denied')"
    missing = "jwt_authn_access_denied{Jwt_is_missing}"
    return {
        "filter": {
            "extension_filter": {
                "name": "cel",
                "typed_config": {
                    "@type": _CEL,
                    "expression": f"{denied} && response.code_details != '{missing}'",
                },
            }
        },
        "status_code": 401,
        "headers_to_add": [_header("www-authenticate", f'{_REALM}, error="invalid_token"')],
        "body_format_override": _format(UNAUTHENTICATED.body()),
    }


def _for(problem: Problem) -> dict[str, Any]:
    mapper: dict[str, Any] = {
        "filter": _status("EQ", problem.status),
        "body_format_override": _format(problem.body()),
    }
    if problem is UNAUTHENTICATED:
        # The built-in realm is the full request URL, query string included.
        mapper["headers_to_add"] = [_header("www-authenticate", _REALM)]
    elif problem.status == 503 and problem.retry_after_seconds:
        mapper["headers_to_add"] = [_header("retry-after", str(problem.retry_after_seconds))]
    return mapper


def _anything_else() -> dict[str, Any]:
    refused = Problem(400, "refused", "Request refused by the gateway", "The gateway could not take this request.")
    return {
        "filter": _status("GE", 400),
        "body_format_override": _format(refused.body() | {"status": "%RESPONSE_CODE%"}),
    }


def _status(op: str, value: int) -> dict[str, Any]:
    comparison = {"op": op, "value": {"default_value": value, "runtime_key": "gateway.never"}}
    return {"status_code_filter": {"comparison": comparison}}


def _header(key: str, value: str) -> dict[str, Any]:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _format(body: dict[str, Any]) -> dict[str, Any]:
    return {"content_type": CONTENT_TYPE, "json_format": body}
