"""A little service of the tests' own: it counts things, on the real database and the real broker."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import asyncpg
from council_common.database.migrations import PLATFORM_VERSIONS
from council_common.database.sessions import Sessions, driver, driver_url, make_engine, make_sessions
from council_common.events.consumer import Consumer
from council_common.events.contract import Event
from council_common.events.handlers import Handlers, Received
from council_common.events.outbox import OUTBOX_COLUMNS, outbox_rows
from council_common.events.relay import Relay
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

NOW = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)
_THINGS = UUID("0195a1b2-0000-7000-8000-0000000000ff")

TABLES = (
    "CREATE TABLE thing (id uuid PRIMARY KEY, name text, CONSTRAINT uq_thing_name UNIQUE (name) DEFERRABLE"
    " INITIALLY DEFERRED)",
    "CREATE TABLE effect (position bigint GENERATED ALWAYS AS IDENTITY, thing_id uuid, number int)",
)


def thing(number: int) -> UUID:
    return uuid5(_THINGS, str(number))


def thing_event(topic: str) -> type[Event]:
    """`ThingCountedV1` on a topic of a test's own."""

    class ThingCountedV1(Event, topic=topic, producer="things-service", key="thing_id"):
        thing_id: UUID
        number: int

    return ThingCountedV1


async def publish(session: AsyncSession, *events: Event) -> None:
    """Events without rows and history of their own, in the session's transaction."""
    connection = await driver(session)
    await connection.copy_records_to_table("outbox", columns=OUTBOX_COLUMNS, records=outbox_rows(events))


async def prepare(url: str) -> None:
    """The platform's tables, as their migration makes them, and the little service's own."""
    connection = await asyncpg.connect(driver_url(url))
    for file in sorted(PLATFORM_VERSIONS.glob("*.py")):
        migration = importlib.import_module(f"council_common.database.migrations.versions.{file.stem}")
        for statement in migration.STATEMENTS:
            await connection.execute(statement)
    for statement in TABLES:
        await connection.execute(statement)
    await connection.close()


@dataclass
class Things:
    """One running copy of the little service: a database, a topic, and whatever a test starts on them."""

    url: str
    bootstrap: str
    name: str
    topic: str
    engine: AsyncEngine
    sessions: Sessions
    event: type[Event]
    others: list[Things] = field(default_factory=list)

    async def count(self, number: int, *, of: int, sessions: Sessions | None = None) -> None:
        """One command: the fact and its event."""
        async with (sessions or self.sessions).begin() as session:
            await self.publish(session, number, of=of)

    async def publish(self, session: AsyncSession, number: int, *, of: int) -> None:
        await publish(session, self.an_event(number, of=of))

    def an_event(self, number: int, *, of: int) -> Event:
        return self.event.model_validate(
            {"thing_id": thing(of), "number": number, "version": number + 1, "occurred_at": NOW, "by": "test"}
        )

    async def publish_many(self, count: int, *, things: int) -> None:
        async with self.sessions.begin() as session:
            await publish(session, *(self.an_event(number // things, of=number % things) for number in range(count)))

    def handlers(self, before: Callable[[Any], Any] | None = None) -> Handlers:
        """Write one effect an event; `before` may fail or wait."""
        handlers = Handlers()

        async def count_things(session: AsyncSession, received: Sequence[Received[Any]]) -> None:
            for one in received:
                if before is not None and (waiting := before(one.event)) is not None:
                    await waiting
            await session.execute(
                text("INSERT INTO effect (thing_id, number) VALUES (:thing_id, :number)"),
                [{"thing_id": one.event.thing_id, "number": one.event.number} for one in received],
            )

        handlers.on_many(self.event)(count_things)
        return handlers

    def consumer(
        self, handlers: Handlers | None = None, *, kind: type[Consumer] = Consumer, batch: int = 500
    ) -> Consumer:
        return kind(
            service=self.name,
            bootstrap_servers=self.bootstrap,
            sessions=self.sessions,
            handlers=handlers or self.handlers(),
            batch=batch,
        )

    def relay(self, *, kind: type[Relay] = Relay, batch: int = 500, **more: Any) -> Relay:
        return kind(database_url=self.url, bootstrap_servers=self.bootstrap, service=self.name, batch=batch, **more)

    async def effects(self) -> dict[UUID, list[int]]:
        """What was done for each thing, in the order in which it was done."""
        done: dict[UUID, list[int]] = {}
        async with self.sessions() as session:
            rows = await session.execute(text("SELECT thing_id, number FROM effect ORDER BY position"))
        for thing_id, number in rows:
            done.setdefault(thing_id, []).append(number)
        return done

    async def scalar(self, statement: str) -> Any:
        async with self.sessions() as session:
            return (await session.execute(text(statement))).scalar()

    async def until(self, statement: str, wanted: Any, *, seconds: float = 60) -> None:
        """Poll a statement's single value until it is as wanted."""
        seen = None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while (seen := await self.scalar(statement)) != wanted:
                    await asyncio.sleep(0.05)
        assert seen == wanted, f"{statement}: {seen}, not {wanted}"

    async def until_effects(self, count: int, *, seconds: float = 60) -> None:
        await self.until("SELECT count(*) FROM effect", count, seconds=seconds)


@asynccontextmanager
async def at_work(*workers: Relay | Consumer) -> AsyncIterator[asyncio.Event]:
    """Relays and consumers at work for the length of a block."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(worker.run(stop)) for worker in workers]
    try:
        yield stop
    finally:
        stop.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    failures = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if failures:
        raise failures[0]


@asynccontextmanager
async def things_at(url: str, bootstrap: str, *, topic: str, name: str) -> AsyncIterator[Things]:
    engine = make_engine(url)
    yield Things(url, bootstrap, name, topic, engine, make_sessions(engine), thing_event(topic))
    await engine.dispose()
