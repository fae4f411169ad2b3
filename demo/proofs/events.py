"""Events published = events handled: read from the five databases, which no API shows."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import yaml
from council_local.platform import Platform
from council_local.surroundings import SERVICES

from demo.council_api import until
from demo.proofs.proof import Proof

ASYNCAPI = Path(__file__).parents[2] / "docs" / "contracts" / "asyncapi.yaml"
PREFIX = "uk.gov.council."
# Marks are forgotten after KEEP_INBOX_DAYS; how many there were is not.
HANDLED = """
SELECT type, sum(count)::bigint AS count
FROM (SELECT type, count(*) FROM inbox GROUP BY type UNION ALL SELECT type, count FROM events_forgotten) AS marks
GROUP BY type
"""


@dataclass
class Books:
    """What each service's database says: sent and handled by type, what waits and what became a dead letter."""

    sent: Counter[str] = field(default_factory=Counter)
    handled: dict[str, Counter[str]] = field(default_factory=dict)
    unsent: int = 0
    dead: int = 0

    def open_subscriptions(self) -> list[tuple[str, str]]:
        """Subscriptions that have not handled everything yet: (service, type)."""
        return [
            (service, event_type)
            for service, types in subscriptions().items()
            for event_type in types
            if self.handled[service][event_type] != self.sent[event_type]
        ]


@cache
def subscriptions() -> dict[str, list[str]]:
    """Which types each service handles, by the published document: a new subscription is proved without being named.

    >>> "uk.gov.council.invoice.paid.v1" in subscriptions()["rebate"]
    True
    """
    document = yaml.load(ASYNCAPI.read_bytes(), yaml.CSafeLoader)
    found: dict[str, set[str]] = defaultdict(set)
    for name, operation in document["operations"].items():
        if operation["action"] == "receive":
            service = name.partition("-service.")[0]
            found[service] |= {_type_of(document, message["$ref"]) for message in operation["messages"]}
    return {service: sorted(found[service]) for service in SERVICES}


def _type_of(document: dict[str, Any], reference: str) -> str:
    """The type of event that a reference to a message means."""
    message = document["components"]["messages"][reference.rpartition("/")[2]]
    return str(message["name"])


async def read_books(platform: Platform) -> Books:
    """Count in all five databases."""
    books = Books()
    for service in SERVICES:
        connection = await asyncpg.connect(platform.database_url(service))
        try:
            for row in await connection.fetch("SELECT type, sum(count)::bigint AS count FROM events_sent GROUP BY 1"):
                books.sent[row["type"]] += row["count"]
            marks = await connection.fetch(HANDLED)
            books.handled[service] = Counter({row["type"]: row["count"] for row in marks})
            books.unsent += await connection.fetchval("SELECT count(*) FROM outbox")
            books.dead += await connection.fetchval("SELECT count(*) FROM dead_letter")
        finally:
            await connection.close()
    return books


async def until_handled(platform: Platform, *, seconds: float = 120.0, every: float = 0.25) -> None:
    """Return when every event is sent and handled. What became a dead letter shows in the proof, not here."""

    async def nothing_waits() -> bool:
        books = await read_books(platform)
        return books.dead > 0 or (not books.unsent and not books.open_subscriptions())

    await until(nothing_waits, what="events to be handled", seconds=seconds, every=every)


async def prove_events(platform: Platform) -> list[Proof]:
    """A line a subscription, and nothing waiting and no dead letter."""
    books = await read_books(platform)
    proofs = [
        Proof(f"{event_type.removeprefix(PREFIX)} → {service}", books.handled[service][event_type], sent)
        for service, types in subscriptions().items()
        for event_type in types
        if (sent := books.sent[event_type])
    ]
    return [
        *proofs,
        Proof("events not sent yet", books.unsent, 0),
        Proof("events that became dead letters", books.dead, 0),
    ]
