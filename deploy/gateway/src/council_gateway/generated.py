"""The committed files made from the table: written by a command, compared by a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from council_gateway.envoy.config import compose_config
from council_gateway.kubernetes.gateway import gateway_objects
from council_gateway.kubernetes.policies import policies
from council_gateway.kubernetes.routes import routes
from council_gateway.table import TABLE

COMPOSE_ISSUER = "http://issuer:8010"
DEPLOY = Path(__file__).resolve().parents[3]

_NOTE = "# Made from routes.toml by `python -m council_gateway generate`: change that, not this.\n"


class _Plain(yaml.SafeDumper):
    """No anchors: the same limit named twice reads better written twice."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def as_yaml(*documents: dict[str, Any]) -> str:
    return _NOTE + yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=120, explicit_start=False)


def files(deploy: Path = DEPLOY) -> dict[Path, str]:
    """Every generated file and what has to be in it."""
    gateway = deploy / "k8s" / "gateway"
    compose = compose_config(issuer=COMPOSE_ISSUER, jwks_uri=f"{COMPOSE_ISSUER}/jwks.json")
    return {
        deploy / "gateway" / "envoy.compose.yaml": as_yaml(compose),
        gateway / "gateway.yaml": as_yaml(*gateway_objects()),
        gateway / "routes.yaml": as_yaml(*routes(TABLE)),
        gateway / "policies.yaml": as_yaml(*policies(TABLE)),
    }


def write(deploy: Path = DEPLOY) -> list[Path]:
    for path, text in files(deploy).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files(deploy))


def stale(deploy: Path = DEPLOY) -> list[Path]:
    """The files that are missing or no longer say what the table says."""
    return [
        path for path, text in files(deploy).items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
