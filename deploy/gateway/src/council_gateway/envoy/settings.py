"""What differs between one machine and containers: addresses, the issuer, limits, where the log goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

AUDIENCE = "council-payments"


@dataclass(frozen=True)
class Address:
    """A host (an IP address or a name) and a port."""

    host: str
    port: int

    @property
    def is_ip(self) -> bool:
        return self.host.replace(".", "").isdigit() or ":" in self.host


@dataclass(frozen=True)
class Issuer:
    """Who signs the tokens, and where its keys are fetched."""

    name: str
    jwks_uri: str
    address: Address
    audience: str = AUDIENCE

    @property
    def uses_tls(self) -> bool:
        return self.jwks_uri.startswith("https://")


@dataclass(frozen=True)
class Settings:
    """Everything Envoy needs that the table of resources does not say."""

    listen: Address
    admin: Address
    services: Mapping[str, Address]
    issuer: Issuer
    access_log_path: str | None
    client_requests_per_second: int = 2_000
    address_requests_per_second: int = 20_000
    max_connections: int = 5_000
