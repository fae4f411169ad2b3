"""Where the platform keeps its things: one folder, safe to delete when nothing runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[4]


@dataclass(frozen=True)
class Folders:
    """The data folder of one platform and what lies in it."""

    root: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Folders:
        """`.data` in the checkout, or wherever COUNCIL_DATA points."""
        named = environment.get("COUNCIL_DATA")
        return cls((CHECKOUT / Path(named or ".data").expanduser()).resolve())

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def postgres_password(self) -> Path:
        return self.keys / "postgres-password"

    @property
    def kafka_users(self) -> Path:
        return self.keys / "kafka-users.json"

    @property
    def mail_secret(self) -> Path:
        return self.keys / "mail-secret"

    @property
    def mail(self) -> Path:
        return self.root / "mail"

    @property
    def gateway(self) -> Path:
        return self.root / "gateway"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def pids(self) -> Path:
        return self.root / "pids"

    @property
    def lock(self) -> Path:
        """Held by the one supervisor that may work in this folder."""
        return self.root / "supervisor.lock"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def pid(self, part: str) -> Path:
        return self.pids / f"{part}.json"

    def make(self) -> None:
        """Create the folders; keys and mail are for their owner only, the rest must let PostgreSQL's user through."""
        for folder in (self.root, self.logs, self.pids, self.gateway):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.keys, self.mail):
            folder.mkdir(mode=0o700, exist_ok=True)
