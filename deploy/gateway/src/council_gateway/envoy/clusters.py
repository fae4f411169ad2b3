"""The services behind the gateway and the issuer whose keys it needs."""

from __future__ import annotations

from typing import Any

from council_gateway.envoy.settings import Address, Issuer

BUFFER_BYTES = 262_144
ISSUER_CLUSTER = "issuer"
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def service_cluster(name: str, address: Address) -> dict[str, Any]:
    """A service: asked only while it says that it can serve, and never given up for lost traffic alone."""
    return {
        "name": name,
        **_where(address),
        **_endpoints(name, address),
        "connect_timeout": "0.5s",
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "lb_policy": "LEAST_REQUEST",
        # Without this a service that is wholly down is still asked ("panic mode").
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "circuit_breakers": {
            "thresholds": [
                # A burst waits here rather than being refused; small numbers overflow at month end.
                {
                    "max_connections": 200,
                    "max_pending_requests": 2_000,
                    "max_requests": 2_000,
                    "max_retries": 100,
                    "track_remaining": True,
                }
            ]
        },
        "typed_extension_protocol_options": {
            _HTTP_OPTIONS: {
                "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
                # Shorter than the services' keep-alive of 75 s, so that the gateway closes first.
                "common_http_protocol_options": {"idle_timeout": "30s"},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
        "health_checks": [_health_check()],
    }


def _health_check() -> dict[str, Any]:
    return {
        "timeout": "1s",
        "interval": "2s",
        "unhealthy_interval": "1s",
        # By default a host without traffic is asked once a minute: a service that starts after the gateway
        # would be refused that long.
        "no_traffic_interval": "2s",
        "no_traffic_healthy_interval": "2s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "http_health_check": {"path": "/health/serving", "host": "gateway"},
    }


def issuer_cluster(issuer: Issuer) -> dict[str, Any]:
    cluster: dict[str, Any] = {
        "name": ISSUER_CLUSTER,
        **_where(issuer.address),
        **_endpoints(ISSUER_CLUSTER, issuer.address),
        "connect_timeout": "1s",
    }
    if issuer.uses_tls:
        name = issuer.address.host
        cluster["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "sni": name,
                "common_tls_context": {
                    "validation_context": {
                        "trusted_ca": {"filename": _CA_BUNDLE},
                        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": name}}],
                    }
                },
            },
        }
    return cluster


def _where(address: Address) -> dict[str, Any]:
    if address.is_ip:
        return {"type": "STATIC"}
    kind = "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster"
    dns = {"@type": kind, "dns_lookup_family": "V4_PREFERRED", "dns_refresh_rate": "5s"}
    return {"cluster_type": {"name": "envoy.clusters.dns", "typed_config": dns}}


def _endpoints(name: str, address: Address) -> dict[str, Any]:
    endpoint = {"address": socket_address(address)}
    return {"load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}]}}


def socket_address(address: Address) -> dict[str, Any]:
    return {"socket_address": {"address": address.host, "port_value": address.port}}
