"""The whole of Envoy's configuration, for one machine and for containers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from council_gateway.envoy.clusters import issuer_cluster, service_cluster, socket_address
from council_gateway.envoy.listener import listener
from council_gateway.envoy.settings import AUDIENCE, Address, Issuer, Settings
from council_gateway.table import TABLE, Table

LOOPBACK = "127.0.0.1"
DEFAULT_BODY_BYTES = 1_048_576

_MONITORS = "type.googleapis.com/envoy.extensions.resource_monitors"
# No /config_dump and no /quitquitquit: a browser on the same machine can reach this port.
_ADMIN_EXACT = ("/ready", "/server_info", "/memory", "/hot_restart_version")
_ADMIN_PREFIXES = ("/stats", "/clusters", "/drain_listeners", "/healthcheck/", "/reset_counters")


def envoy_config(
    *,
    gateway_port: int,
    admin_port: int,
    service_ports: Mapping[str, int],
    issuer: str,
    issuer_host_port: tuple[str, int],
    access_log_path: str | None,
    client_requests_per_second: int = 2_000,
    address_requests_per_second: int = 20_000,
    audience: str = AUDIENCE,
    table: Table = TABLE,
) -> dict[str, Any]:
    """The gateway of one machine: loopback only, keys from the local issuer's `<issuer>/jwks.json`.

    Write it as JSON or YAML and start `envoy -c FILE --disable-hot-restart` (two gateways on one host would
    otherwise fight for the same shared memory). `service_ports` maps `supplier` to 8001, and so on; without
    an `access_log_path` the log goes to standard output.
    """
    settings = Settings(
        listen=Address(LOOPBACK, gateway_port),
        admin=Address(LOOPBACK, admin_port),
        services={name: Address(LOOPBACK, port) for name, port in service_ports.items()},
        issuer=Issuer(issuer, f"{issuer.rstrip('/')}/jwks.json", Address(*issuer_host_port), audience),
        access_log_path=access_log_path,
        client_requests_per_second=client_requests_per_second,
        address_requests_per_second=address_requests_per_second,
    )
    return bootstrap(settings, table)


def compose_config(
    *, issuer: str, jwks_uri: str, audience: str = AUDIENCE, client_requests_per_second: int = 200
) -> dict[str, Any]:
    """The gateway among containers: services by name, the log on standard output."""
    settings = Settings(
        listen=Address("0.0.0.0", 8000),  # noqa: S104 - inside its container; compose publishes it on loopback
        admin=Address(LOOPBACK, 9901),
        services={name: Address(f"{name}-service", 8000) for name in TABLE.services},
        issuer=Issuer(issuer, jwks_uri, _address_of(jwks_uri), audience),
        access_log_path=None,
        client_requests_per_second=client_requests_per_second,
    )
    return bootstrap(settings, TABLE)


def _address_of(uri: str) -> Address:
    parts = urlsplit(uri)
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise ValueError(f"{uri} is not an http or https address")
    return Address(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))


def bootstrap(settings: Settings, table: Table) -> dict[str, Any]:
    """Everything Envoy reads at its start; a service without an address is refused here, not at run time."""
    missing = set(table.services) - set(settings.services)
    if missing:
        raise ValueError(f"no address for {', '.join(sorted(missing))}")
    return {
        "node": {"id": "gateway", "cluster": "council-gateway"},
        "admin": {
            "address": socket_address(settings.admin),
            "allow_paths": [
                *({"exact": path} for path in _ADMIN_EXACT),
                *({"prefix": path} for path in _ADMIN_PREFIXES),
            ],
        },
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": f"{_MONITORS}.downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": settings.max_connections,
                    },
                }
            ]
        },
        "static_resources": {
            "listeners": [listener(settings, table, default_body_bytes=DEFAULT_BODY_BYTES)],
            "clusters": [
                *(service_cluster(name, settings.services[name]) for name in table.services),
                issuer_cluster(settings.issuer),
            ],
        },
    }
