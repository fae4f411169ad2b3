"""What the platform's parts need to know: their addresses and secrets, ours or the council's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from council_common.events.security import KafkaSecurity

from council_local.folders import Folders
from council_local.kafka_users import BROKER, KafkaUsers
from council_local.keys import SERVICES, secret_in
from council_local.ports import LOOPBACK, Ports, issuer_url
from council_local.postgres import postgres_url
from council_local.tokens import AUDIENCE, secret_of

__all__ = ["MAIL_USER", "SERVICES", "Surroundings", "mail_url"]

MAIL_USER = "mail"


def mail_url(folders: Folders, ports: Ports) -> str:
    """The mail sink's page with the secret it asks for: the address as a browser takes it."""
    return f"http://{MAIL_USER}:{secret_in(folders.mail_secret)}@{LOOPBACK}:{ports.mail_page}"


@dataclass(frozen=True)
class Surroundings:
    """Where each part finds the others, with the council's own database or broker where one is named."""

    folders: Folders
    ports: Ports
    environment: Mapping[str, str]

    @property
    def own_kafka(self) -> str | None:
        """The council's broker, when there is one: then ours is not started."""
        return self.environment.get("KAFKA_BOOTSTRAP_SERVERS") or None

    @property
    def kafka_bootstrap(self) -> str:
        return self.own_kafka or f"{LOOPBACK}:{self.ports.kafka}"

    @property
    def kafka_users(self) -> KafkaUsers:
        """The users of our broker."""
        return KafkaUsers(self.folders.kafka_users)

    def kafka_security(self, user: str = BROKER) -> KafkaSecurity:
        """How a user reaches our broker, or everybody the council's: by the one name that the environment gives."""
        if not self.own_kafka:
            return self.kafka_users.security_of(user)
        # Loaded here: most machines have no broker of the council's.
        from council_common.runtime.settings import ServiceSettings

        # By the services' own settings: one place knows the names and what is right.
        given: dict[str, Any] = {
            name.lower(): value for name, value in self.environment.items() if name.startswith("KAFKA_")
        }
        return ServiceSettings(_env_file=None, database_url="", oidc_issuer=self.issuer, **given).kafka_security

    def _mail_sink(self) -> dict[str, str]:
        """How the sink takes mail; nothing of it where the council names a server of its own: the secret is ours."""
        if self.environment.get("SMTP_HOST"):
            return {}
        return {
            "SMTP_HOST": LOOPBACK,
            "SMTP_PORT": str(self.ports.smtp),
            "SMTP_USERNAME": MAIL_USER,
            "SMTP_PASSWORD": secret_in(self.folders.mail_secret),
        }

    def own_database(self, service: str) -> str | None:
        """The council's database of a service, as INVOICE_DATABASE_URL."""
        return self.environment.get(f"{service.upper()}_DATABASE_URL") or None

    def database_url(self, service: str) -> str:
        own = self.own_database(service)
        return own or postgres_url(self.folders.postgres_password, self.ports.postgres, service)

    @property
    def local_databases(self) -> list[str]:
        """The services whose database we provide; none means that our PostgreSQL is not started."""
        return [name for name in SERVICES if self.own_database(name) is None]

    @property
    def issuer(self) -> str:
        return issuer_url(self.ports.issuer)

    def service_port(self, service: str) -> int:
        return self.ports.named()[service]

    def service_url(self, service: str) -> str:
        return f"http://{LOOPBACK}:{self.service_port(service)}"

    def of_service(self, service: str) -> dict[str, str]:
        """The whole environment of one service, by the names of docs/architecture.md."""
        client_id = f"{service}-service"
        kafka = self.kafka_security(client_id)
        fixed = {
            "DATABASE_URL": self.database_url(service),
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap,
            "KAFKA_SECURITY_PROTOCOL": kafka.protocol,
            "KAFKA_SASL_MECHANISM": kafka.mechanism,
            "KAFKA_SASL_USERNAME": kafka.username,
            "KAFKA_SASL_PASSWORD": kafka.password,
            "OIDC_ISSUER": self.issuer,
            "OIDC_AUDIENCE": AUDIENCE,
            "CLIENT_ID": client_id,
            "CLIENT_SECRET": secret_of(self.folders.keys, client_id),
            "HOST": LOOPBACK,
            "PORT": str(self.service_port(service)),
            **{f"{name.upper()}_SERVICE_URL": self.service_url(name) for name in SERVICES},
        }
        defaults = {
            **self._mail_sink(),
            "MAIL_FROM": "payments@council.example",
            "PRINT_ROOM_MAILBOX": "print-room@council.example",
            # A sink on loopback answers at once: after a kill, messages under way are taken up again soon.
            "SMTP_TIMEOUT_SECONDS": "10",
            "SEND_LEASE_SECONDS": "12",
            # One heap for all threads of a process that has one interpreter lock: less of it lies idle.
            "MALLOC_ARENA_MAX": "1",
            "LOG_FORMAT": "json",
            "LOG_LEVEL": "INFO",
        }
        return {**defaults, **self.environment, **fixed}
