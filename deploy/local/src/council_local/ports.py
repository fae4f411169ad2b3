"""Which door is where: every port of the platform on one machine."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields

LOOPBACK = "127.0.0.1"
# A page in a browser must not reach what listens here by a name of its own that resolves to loopback.
LOOPBACK_NAMES = [LOOPBACK, "localhost", "testserver"]
DEFAULT_BASE = 8000
BELOW_OUTGOING = (12_000, 32_000)
LOWEST_BASE, HIGHEST_BASE = 1_024, 65_400


class PortBusyError(RuntimeError):
    """Another program already listens where a part of the platform wants to."""


@dataclass(frozen=True)
class Ports:
    """The loopback ports of one platform; the field names are the parts' names."""

    gateway: int
    supplier: int
    invoice: int
    rebate: int
    debt: int
    notification: int
    issuer: int
    gateway_admin: int
    smtp: int
    mail_page: int
    postgres: int
    kafka: int
    kafka_controller: int

    @classmethod
    def from_base(cls, base: int = DEFAULT_BASE) -> Ports:
        """The fixed offsets of docs/architecture.md.

        >>> Ports.from_base(9000).kafka
        9092
        """
        offsets = (0, 1, 2, 3, 4, 5, 10, 19, 25, 26, 32, 92, 93)
        return cls(*(base + offset for offset in offsets))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Ports:
        """From COUNCIL_PORT_BASE; raises ValueError with a sentence when that is no number of a port."""
        base = environment.get("COUNCIL_PORT_BASE") or str(DEFAULT_BASE)
        if not base.isascii() or not base.isdigit() or not LOWEST_BASE <= int(base) <= HIGHEST_BASE:
            raise ValueError(f"COUNCIL_PORT_BASE is a number from {LOWEST_BASE} to {HIGHEST_BASE}, for example 9000")
        return cls.from_base(int(base))

    @classmethod
    def free(cls) -> Ports:
        """Ports that are free now: for tests, which run beside a real platform."""
        return cls(*free_ports(len(fields(cls))))

    def named(self) -> dict[str, int]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def issuer_url(port: int) -> str:
    """The name of the identity provider that listens on a loopback port, as it stands in tokens."""
    return f"http://{LOOPBACK}:{port}"


def free_ports(count: int) -> list[int]:
    """`count` different ports that were free a moment ago.

    None is of the range from which systems take the ports of outgoing connections (Linux: from 32768): one of those
    may be gone a moment later.
    """
    found: list[int] = []
    for port in random.sample(range(*BELOW_OUTGOING), k=BELOW_OUTGOING[1] - BELOW_OUTGOING[0]):
        with socket.socket() as tried:
            try:
                tried.bind((LOOPBACK, port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError(f"there are no {count} free ports on {LOOPBACK}")


def is_listening(port: int, *, timeout: float = 0.5) -> bool:
    """Whether a program answers on this loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout):
            return True
    except OSError:
        return False


def refuse_busy(wanted: Mapping[str, int]) -> None:
    """Say which port is taken and what to do about it, before anything starts."""
    busy = [f"{name} wants {port}" for name, port in wanted.items() if is_listening(port)]
    if busy:
        raise PortBusyError(
            f"A port is taken by another program: {', '.join(busy)}. "
            "Stop that program, or move the platform: COUNCIL_PORT_BASE=9000 make run"
        )
