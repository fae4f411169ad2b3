"""What every request passes through, in this order; an answer passes the other way."""

from __future__ import annotations

from typing import Any

from council_gateway.envoy.clusters import ISSUER_CLUSTER
from council_gateway.envoy.routes import BUFFER_FILTER, JWT_FILTER
from council_gateway.envoy.settings import Issuer, Settings

_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
_ALWAYS = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}, "runtime_key": "gateway.never"}
# The bucket for requests that fit no descriptor; it never decides anything.
_WIDE = {"max_tokens": 1_000_000, "tokens_per_fill": 1_000_000, "fill_interval": "1s"}

PROVIDER = "issuer"
CLAIMS = "jwt"


def http_filters(settings: Settings, *, default_body_bytes: int) -> list[dict[str, Any]]:
    """Refuse cheaply first: address, token, caller's rate, size; then ask the service."""
    return [
        _security_headers(),
        _readiness(),
        _gzip(),
        _address_limit(settings.address_requests_per_second),
        _jwt(settings.issuer),
        _client_limit(settings.client_requests_per_second),
        _filter(BUFFER_FILTER, "buffer.v3.Buffer", max_request_bytes=default_body_bytes),
        _filter("envoy.filters.http.router", "router.v3.Router", suppress_envoy_headers=True),
    ]


def _filter(name: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": f"{_FILTERS}.{kind}", **fields}}


def _security_headers() -> dict[str, Any]:
    always, unless_set = "OVERWRITE_IF_EXISTS_OR_ADD", "ADD_IF_ABSENT"
    headers = [
        ("x-content-type-options", "nosniff", always),
        ("strict-transport-security", "max-age=31536000; includeSubDomains", always),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'", unless_set),
        ("referrer-policy", "no-referrer", always),
        ("cache-control", "no-store", unless_set),
    ]
    removed = ["server", "x-powered-by", "x-envoy-upstream-healthchecked-cluster"]
    mutations: list[dict[str, Any]] = [{"remove": name} for name in removed]
    for key, value, action in headers:
        mutations.append({"append": {"header": {"key": key, "value": value}, "append_action": action}})
    return _filter("security-headers", "header_mutation.v3.HeaderMutation", mutations={"response_mutations": mutations})


def _readiness() -> dict[str, Any]:
    """The gateway's own readiness: 503 once it drains."""
    path = {"name": ":path", "string_match": {"exact": "/health/ready"}}
    return _filter("health-check", "health_check.v3.HealthCheck", pass_through_mode=False, headers=[path])


def _gzip() -> dict[str, Any]:
    types = ["application/json", "application/problem+json", "application/x-ndjson", "text/csv"]
    return _filter(
        "gzip",
        "compressor.v3.Compressor",
        response_direction_config={
            "common_config": {
                "min_content_length": 1024,
                "content_type_matcher": [{"exact": each} for each in types],
            },
            # A strong ETag would be dropped, and the caller could not change what it has just read.
            "weaken_etag_on_compress": True,
        },
        compressor_library={
            "name": "gzip",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip",
                "compression_level": "COMPRESSION_LEVEL_1",
            },
        },
    )


def _address_limit(per_second: int) -> dict[str, Any]:
    """Before a token is looked at: wide, because a whole council may come from one address."""
    return _filter(
        "ratelimit-address",
        "local_ratelimit.v3.LocalRateLimit",
        stat_prefix="rl_address",
        filter_enabled=_ALWAYS,
        filter_enforced=_ALWAYS,
        enable_retry_after_header=True,
        max_dynamic_descriptors=10_000,
        token_bucket=_WIDE,
        rate_limits=[{"actions": [{"remote_address": {}}]}],
        descriptors=[{"entries": [{"key": "remote_address"}], "token_bucket": _bucket(per_second)}],
    )


def _jwt(issuer: Issuer) -> dict[str, Any]:
    """Every path asks for a token unless its route says otherwise."""
    provider = {
        "issuer": issuer.name,
        "audiences": [issuer.audience],
        # Envoy's defaults: no expiry needed, a minute of skew, and a token in the query string is fine.
        "require_expiration": True,
        "clock_skew_seconds": 5,
        "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}],
        # The services verify the token again.
        "forward": True,
        "payload_in_metadata": CLAIMS,
        "jwt_cache_config": {"jwt_cache_size": 1000},
        "remote_jwks": {
            "http_uri": {"uri": issuer.jwks_uri, "cluster": ISSUER_CLUSTER, "timeout": "2s"},
            "cache_duration": "300s",
            # Fetched on demand instead, a key rotation answers 200 and 401 at random. With fast_listener the
            # gateway starts while the issuer is still down.
            "async_fetch": {"fast_listener": True, "failed_refetch_duration": "1s"},
            "retry_policy": {
                "num_retries": 1,
                "retry_back_off": {"base_interval": "0.1s", "max_interval": "0.2s"},
            },
        },
    }
    return _filter(
        JWT_FILTER,
        "jwt_authn.v3.JwtAuthentication",
        providers={PROVIDER: provider},
        rules=[{"match": {"prefix": "/"}, "requires": {"provider_name": PROVIDER}}],
    )


def _client_limit(per_second: int) -> dict[str, Any]:
    """After the token: per caller, so that one runaway client leaves the others alone."""
    subject = {
        "descriptor_key": "sub",
        "source": "DYNAMIC",
        "metadata_key": {"key": JWT_FILTER, "path": [{"key": CLAIMS}, {"key": "sub"}]},
    }
    return _filter(
        "ratelimit-client",
        "local_ratelimit.v3.LocalRateLimit",
        stat_prefix="rl_client",
        filter_enabled=_ALWAYS,
        filter_enforced=_ALWAYS,
        enable_x_ratelimit_headers="DRAFT_VERSION_03",
        enable_retry_after_header=True,
        always_consume_default_token_bucket=False,
        # The default is 20: with 30 callers nobody would be limited.
        max_dynamic_descriptors=10_000,
        token_bucket=_WIDE,
        rate_limits=[{"actions": [{"metadata": subject}]}],
        descriptors=[{"entries": [{"key": "sub"}], "token_bucket": _bucket(per_second)}],
    )


def _bucket(per_second: int) -> dict[str, Any]:
    return {"max_tokens": per_second, "tokens_per_fill": per_second, "fill_interval": "1s"}
