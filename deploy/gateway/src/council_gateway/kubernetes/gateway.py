"""The gateway itself in Kubernetes: its listener, its edge, how many of it there are."""

from __future__ import annotations

from typing import Any

from council_gateway.envoy.listener import access_log
from council_gateway.kubernetes.objects import API_GROUP, GATEWAY, POLICY_GROUP, policy, target


def gateway_objects() -> list[dict[str, Any]]:
    """Gateway, its proxies and its edge; the host name is set by each overlay."""
    return [_gateway(), _proxies(), _edge()]


def _gateway() -> dict[str, Any]:
    parameters = {"group": POLICY_GROUP, "kind": "EnvoyProxy", "name": GATEWAY}
    listener = {
        "name": "https",
        "protocol": "HTTPS",
        "port": 443,
        "hostname": "payments.example.gov.uk",
        "tls": {"mode": "Terminate", "certificateRefs": [{"name": "council-tls"}]},
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
    return {
        "apiVersion": f"{API_GROUP}/v1",
        "kind": "Gateway",
        "metadata": {"name": GATEWAY},
        "spec": {
            "gatewayClassName": "envoy-gateway",
            "infrastructure": {"parametersRef": parameters},
            "listeners": [listener],
        },
    }


def _proxies() -> dict[str, Any]:
    line: dict[str, str] = access_log(None)["typed_config"]["log_format"]["json_format"]
    # The token's claims are not in the metadata there.
    log = {key: value for key, value in line.items() if key not in {"client", "sub"}}
    return {
        "apiVersion": f"{POLICY_GROUP}/v1alpha1",
        "kind": "EnvoyProxy",
        "metadata": {"name": GATEWAY},
        "spec": {
            "provider": {
                "type": "Kubernetes",
                "kubernetes": {
                    "envoyDeployment": {"replicas": 2},
                    "envoyPDB": {"minAvailable": 1},
                },
            },
            "shutdown": {"drainTimeout": "60s", "minDrainDuration": "10s"},
            "telemetry": {
                "accessLog": {
                    "settings": [
                        {
                            "format": {"type": "JSON", "json": log},
                            "sinks": [{"type": "File", "file": {"path": "/dev/stdout"}}],
                        }
                    ]
                }
            },
        },
    }


def _edge() -> dict[str, Any]:
    dropped = [{"type": "Prefix", "value": prefix} for prefix in ("x-internal-", "x-forwarded-", "x-envoy-")]
    always = {
        "x-content-type-options": "nosniff",
        "strict-transport-security": "max-age=31536000; includeSubDomains",
        "referrer-policy": "no-referrer",
    }
    unless_set = {
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    }
    spec = {
        "tls": {"minVersion": "1.2", "alpnProtocols": ["h2", "http/1.1"]},
        "path": {"escapedSlashesAction": "RejectRequest", "disableMergeSlashes": False},
        "headers": {
            "withUnderscoresAction": "RejectRequest",
            "requestID": "Generate",
            "earlyRequestHeaders": {"removeOnMatch": [*dropped, {"type": "Exact", "value": "x-request-id"}]},
            "lateResponseHeaders": {
                "set": _headers(always),
                "addIfAbsent": _headers(unless_set),
                "remove": ["server", "x-powered-by"],
            },
        },
        "timeout": {"http": {"requestReceivedTimeout": "0s", "idleTimeout": "75s", "streamIdleTimeout": "60s"}},
        "connection": {"bufferLimit": "256Ki", "connectionLimit": {"value": 5000}},
        "healthCheck": {"path": "/health/ready"},
    }
    return policy("ClientTrafficPolicy", "edge", [target("Gateway", GATEWAY)], spec)


def _headers(values: dict[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in values.items()]
