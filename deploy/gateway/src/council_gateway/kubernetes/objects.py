"""The few words every Kubernetes object of the gateway is written with."""

from __future__ import annotations

from typing import Any

GATEWAY = "council"
API_GROUP = "gateway.networking.k8s.io"
POLICY_GROUP = "gateway.envoyproxy.io"
SERVICE_PORT = 8000


def route(name: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": f"{API_GROUP}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {"parentRefs": [{"name": GATEWAY}], "rules": rules},
    }


def policy(kind: str, name: str, targets: list[dict[str, Any]], spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": f"{POLICY_GROUP}/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"targetRefs": targets, **spec},
    }


def target(kind: str, name: str) -> dict[str, Any]:
    return {"group": API_GROUP, "kind": kind, "name": name}


def path(kind: str, value: str) -> dict[str, Any]:
    return {"path": {"type": kind, "value": value}}


def service(name: str) -> list[dict[str, Any]]:
    return [{"name": f"{name}-service", "port": SERVICE_PORT}]
