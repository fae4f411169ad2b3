"""Commands of the gateway: make the configurations, check them, say who owns a path."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from council_gateway import generated
from council_gateway.envoy.config import compose_config
from council_gateway.envoy.settings import AUDIENCE
from council_gateway.table import owner_of


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="council_gateway", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("generate", help="write every generated configuration").set_defaults(run=_generate)
    commands.add_parser("check", help="fail when a committed configuration is stale").set_defaults(run=_check)
    owner = commands.add_parser("owner", help="which service answers a path")
    owner.add_argument("path")
    owner.set_defaults(run=_owner)
    compose = commands.add_parser("compose", help="Envoy's configuration for containers with your own issuer")
    compose.add_argument("--issuer", required=True, help="the tokens' iss")
    compose.add_argument(
        "--audience", default=AUDIENCE, help="the tokens' aud, as OIDC_AUDIENCE (default: %(default)s)"
    )
    compose.add_argument("--jwks-uri", required=True)
    compose.add_argument("--client-rate", type=int, default=200, help="requests per second and client")
    compose.add_argument("file", type=Path)
    compose.set_defaults(run=_compose)
    options = parser.parse_args(arguments)
    return int(options.run(options))


def _generate(_: argparse.Namespace) -> int:
    for path in generated.write():
        _say(str(path))
    return 0


def _check(_: argparse.Namespace) -> int:
    old = generated.stale()
    for path in old:
        _say(f"stale: {path} (run python -m council_gateway generate)")
    return 1 if old else 0


def _owner(options: argparse.Namespace) -> int:
    service = owner_of(options.path)
    _say(service or "nobody: the gateway answers 404")
    return 0 if service else 1


def _compose(options: argparse.Namespace) -> int:
    config = compose_config(
        issuer=options.issuer,
        jwks_uri=options.jwks_uri,
        audience=options.audience,
        client_requests_per_second=options.client_rate,
    )
    options.file.write_text(generated.as_yaml(config), encoding="utf-8")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
