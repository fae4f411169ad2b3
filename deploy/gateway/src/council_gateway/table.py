"""Who owns what: the table of resource and service that every gateway configuration is made from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

PREFIX = "/v1/"


@dataclass(frozen=True)
class Kind:
    """How large and how long a request may be; a streamed one is never held in the gateway's memory."""

    name: str
    timeout_seconds: int
    max_body_bytes: int
    streamed: bool = False


@dataclass(frozen=True)
class Resource:
    """A part of the path space and the service that answers there."""

    name: str
    service: str
    kind: Kind

    @property
    def path(self) -> str:
        return PREFIX + self.name

    @property
    def slug(self) -> str:
        """The name without slashes, for places that allow none (`reports/spend` is `reports-spend`)."""
        return self.name.replace("/", "-")

    def holds(self, path: str) -> bool:
        """Whether a path is this resource or under it: `/v1/invoices/7`, never `/v1/invoicesX`."""
        return path == self.path or path.startswith(self.path + "/")


@dataclass(frozen=True)
class Table:
    """Every resource of the platform, each with one owner."""

    kinds: tuple[Kind, ...]
    services: tuple[str, ...]
    resources: tuple[Resource, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Table:
        """Read the table; a resource named twice is refused: the second owner would never be asked."""
        kinds = {name: Kind(name, **limits) for name, limits in document["kinds"].items()}
        found = tuple(
            Resource(name, service, kinds[kind])
            for service, by_kind in document["services"].items()
            for kind, names in by_kind.items()
            for name in names
        )
        for resource in found:
            others = [other.name for other in found if other is not resource and resource.holds(other.path)]
            if others:
                raise ValueError(f"{resource.name} of {resource.service} also holds {', '.join(others)}")
        return cls(tuple(kinds.values()), tuple(document["services"]), found)

    def owner_of(self, path: str) -> str | None:
        """The service that answers a path, or nobody; a query string does not matter.

        >>> TABLE.owner_of("/v1/invoices/7/approvals"), TABLE.owner_of("/v1/invoicesX")
        ('invoice', None)
        """
        plain = path.partition("?")[0]
        return next((resource.service for resource in self.resources if resource.holds(plain)), None)

    def of_service(self, service: str) -> tuple[Resource, ...]:
        return tuple(resource for resource in self.resources if resource.service == service)


def document_path(service: str) -> str:
    """Where the gateway publishes a service's API document, open to all.

    >>> document_path("debt")
    '/openapi/debt.json'
    """
    return f"/openapi/{service}.json"


def _read() -> Table:
    source = resources.files("council_gateway").joinpath("routes.toml")
    return Table.of(tomllib.loads(source.read_text(encoding="utf-8")))


TABLE = _read()


def owner_of(path: str) -> str | None:
    """The service that answers a path behind the gateway, or None where the gateway itself says 404."""
    return TABLE.owner_of(path)
