"""The door itself: what is accepted at the edge, what is thrown away, what is written down."""

from __future__ import annotations

from typing import Any

from council_gateway.envoy.clusters import BUFFER_BYTES, socket_address
from council_gateway.envoy.filters import CLAIMS, http_filters
from council_gateway.envoy.replies import local_replies
from council_gateway.envoy.routes import JWT_FILTER, route_config
from council_gateway.envoy.settings import Settings
from council_gateway.table import Table

_NETWORK = "type.googleapis.com/envoy.extensions.filters.network"
_MUTATION = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
_REQUEST_ID = "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"

# Nobody may tell the services who is calling, or by which way, but the gateway.
_DROPPED_PREFIXES = ("x-internal-", "x-envoy-", "x-forwarded-")


def listener(settings: Settings, table: Table, *, default_body_bytes: int) -> dict[str, Any]:
    manager = {
        "@type": f"{_NETWORK}.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "gateway",
        **_edge(),
        **_correlation(),
        "local_reply_config": local_replies(),
        "access_log": [access_log(settings.access_log_path)],
        "http_filters": http_filters(settings, default_body_bytes=default_body_bytes),
        "route_config": route_config(table, default_body_bytes=default_body_bytes),
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {
        "name": "http",
        "address": socket_address(settings.listen),
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "filter_chains": [{"filters": filters}],
    }


def _edge() -> dict[str, Any]:
    return {
        "use_remote_address": True,
        "xff_num_trusted_hops": 0,
        # An empty range list means loopback and RFC 1918 are "internal", and keep their own request ids;
        # this address nobody has.
        "internal_address_config": {"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]},
        "server_header_transformation": "PASS_THROUGH",
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "common_http_protocol_options": {
            "idle_timeout": "75s",
            "max_headers_count": 100,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 262_144,
            "initial_connection_window_size": 1_048_576,
        },
        "max_request_headers_kb": 32,
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "60s",
        "drain_timeout": "5s",
        "early_header_mutation_extensions": [
            {
                "name": "envoy.http.early_header_mutation.header_mutation",
                "typed_config": {
                    "@type": _MUTATION,
                    "mutations": [
                        {"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in _DROPPED_PREFIXES
                    ],
                },
            }
        ],
    }


def _correlation() -> dict[str, Any]:
    """One id per request, made here, passed to the service and to the caller."""
    return {
        "generate_request_id": True,
        "preserve_external_request_id": False,
        "always_set_request_id_in_response": True,
        "request_id_extension": {"typed_config": {"@type": _REQUEST_ID, "pack_trace_reason": False}},
    }


def access_log(path: str | None) -> dict[str, Any]:
    """One JSON line per request: never a token, never a query string (it may hold a name or a number)."""
    line = {
        "ts": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
        "method": "%REQ(:METHOD)%",
        "path": "%PATH(NQ)%",
        "route": "%ROUTE_NAME%",
        "status": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "ms": "%DURATION%",
        "upstream_ms": "%COMMON_DURATION(US_TX_BEG:US_RX_BEG:ms)%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "service": "%UPSTREAM_CLUSTER%",
        "client": f"%DYNAMIC_METADATA({JWT_FILTER}:{CLAIMS}:client_id)%",
        "sub": f"%DYNAMIC_METADATA({JWT_FILTER}:{CLAIMS}:sub)%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "traceparent": "%REQ(TRACEPARENT)%",
        "protocol": "%PROTOCOL%",
        "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    }
    log_format = {"log_format": {"json_format": line}}
    if path is None:
        # Not the file /dev/stdout: a process that is not root may not open it.
        kind = "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
        return {"name": "envoy.access_loggers.stdout", "typed_config": {"@type": kind, **log_format}}
    kind = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"
    return {"name": "envoy.access_loggers.file", "typed_config": {"@type": kind, "path": path, **log_format}}
