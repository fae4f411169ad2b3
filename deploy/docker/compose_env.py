"""Secrets for a try-out with containers: made once, kept in `.data/compose/`, readable by their owner only.

`python deploy/docker/compose_env.py`, then `docker compose --env-file .data/compose/compose.env up --build --detach`.
What is already in the file stays, so a database keeps its passwords.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from council_local.keys import machine_clients, signing_key, write_secret

FOLDER = Path(__file__).resolve().parents[2] / ".data" / "compose"
SERVICES = ("supplier", "invoice", "rebate", "debt", "notification")


def environment(keys: Path) -> dict[str, str]:
    """Fresh values for every variable that docker-compose.yml asks for."""
    clients = machine_clients(keys)
    signing_key(keys)
    values = {
        "COMPOSE_PROFILES": "issuer",
        # The issuer reads its keys from this folder as their owner.
        "COUNCIL_UID": str(os.getuid()),
        "COUNCIL_GID": str(os.getgid()),
        "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
        "OIDC_ISSUER": "http://issuer:8010",
        "MAIL_FROM": "payments@council.example",
        "PRINT_ROOM_MAILBOX": "print-room@council.example",
        "SMTP_USERNAME": "mail",
    }
    values["MAIL_SINK_PASSWORD"] = values["SMTP_PASSWORD"] = secrets.token_urlsafe(24)
    for user in ("BROKER", "TOPICS"):
        values[f"{user}_KAFKA_PASSWORD"] = secrets.token_urlsafe(24)
    for service in SERVICES:
        values[f"{service.upper()}_DB_PASSWORD"] = secrets.token_urlsafe(24)
        values[f"{service.upper()}_KAFKA_PASSWORD"] = secrets.token_urlsafe(24)
        values[f"{service.upper()}_CLIENT_SECRET"] = clients[f"{service}-service"].secret
    return values


def kept(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def main(folder: Path = FOLDER) -> Path:
    path = folder / "compose.env"
    values = environment(folder / "keys") | kept(path)
    text = "".join(f"{name}={value}\n" for name, value in values.items())
    write_secret(path, text.encode())
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{main()}\n")
