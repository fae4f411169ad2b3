"""Events published = events handled: read from the five databases, which no API shows."""

from __future__ import annotations

import importlib
from collections import Counter
from dataclasses import dataclass, field

import asyncpg
from council_local.platform import Platform
from council_local.surroundings import SERVICES

from demo.council_api import until
from demo.proofs.proof import Proof

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


def subscriptions() -> dict[str, list[str]]:
    """Which types each service handles, asked of its own list: a new subscription is proved without being named."""
    return {
        service: sorted(importlib.import_module(f"{service}_service.main").SERVICE.handlers.types)
        for service in SERVICES
    }


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
