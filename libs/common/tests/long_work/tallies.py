"""A little kind of long work of the tests' own: it counts up to a total, a few numbers a slice."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from council_common.database.sessions import driver_url
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.long_work.kind import WorkKind
from council_common.long_work.rules import Progress, WorkState
from council_common.long_work.store import get_work
from council_common.long_work.tables import Work
from council_common.long_work.turns import take_turn
from council_common.long_work.usecases import request_work
from council_common.runtime.service_runtime import Runtime, open_runtime
from council_common.runtime.settings import ServiceSettings
from sqlalchemy import Column, Identity, Integer, MetaData, Table, Text, Uuid, func, insert, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.schema import CreateTable

NOW = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)
OFFICER = Actor("subject-1", "p.jones")
MIGRATIONS = ("0001_platform_tables", "0002_long_work")
COUNTED = Table("counted", _tables := MetaData(), Column("subject_id", Uuid), Column("number", Integer))
MOVE = Table(
    "move",
    _tables,
    Column("position", Integer, Identity(), primary_key=True),
    Column("subject_id", Uuid),
    *(Column(name, Text) for name in ("state", "by", "reason")),
)


async def prepare_database(url: str) -> None:
    """The platform's tables, as their migrations make them, and those of the tallies."""
    connection = await asyncpg.connect(driver_url(url))
    for name in MIGRATIONS:
        for statement in importlib.import_module(f"council_common.database.migrations.versions.{name}").STATEMENTS:
            await connection.execute(statement)
    for table in (COUNTED, MOVE):
        await connection.execute(str(CreateTable(table).compile(dialect=postgresql.dialect())))
    await connection.close()


class Tally(WorkKind):
    """Counts to the total. `before` may fail, wait or cancel before a slice, `within` inside its transaction."""

    name = "count-tallies"
    noun = "tally"
    unit = "numbers"

    def __init__(self, *, slice_size: int = 10) -> None:
        self._slice_size = slice_size
        self.before: Callable[[Work], Awaitable[None]] | None = None
        self.within: Callable[[Work], Awaitable[None]] | None = None
        self.stands_still = False

    async def prepare(self, runtime: Runtime, work: Work) -> range:
        """The numbers of the next slice, read before its transaction as a file is."""
        del runtime
        if self.before is not None:
            await self.before(work)
        return range(work.done + 1, min(work.done + self._slice_size, work.total or 0) + 1)

    async def do_slice(self, session: AsyncSession, work: Work, prepared: range, *, now: datetime) -> Progress:
        del now
        rows = [{"subject_id": work.subject_id, "number": number} for number in prepared]
        await session.execute(insert(COUNTED), rows)
        if self.within is not None:
            await self.within(work)
        if self.stands_still:
            return Progress(work.done, cursor=work.cursor)
        return Progress(prepared.stop - 1, finished=prepared.stop > (work.total or 0), cursor=str(prepared.stop - 1))

    async def moved(self, session: AsyncSession, work: Work, *, by: Actor, at: datetime, note: str | None) -> None:
        del at
        reason = work.error["code"] if work.error and work.state is WorkState.FAILED else note
        values = {"subject_id": work.subject_id, "state": work.state, "by": by.subject, "reason": reason}
        await session.execute(insert(MOVE).values(values))


class Office:
    """Asks for tallies and looks at what became of them; `now` is the time the worker sees."""

    def __init__(self, runtime: Runtime, kind: Tally) -> None:
        self.runtime = runtime
        self.kind = kind
        self.now = NOW
        runtime.clock = lambda: self.now

    async def asked(self, total: int) -> UUID:
        subject_id = new_id()
        async with self.runtime.sessions.begin() as session:
            await request_work(session, self.kind, subject_id, total=total, by=OFFICER, at=self.now)
        return subject_id

    async def turn(self) -> bool:
        return await take_turn(self.kind, self.runtime)

    async def work(self, subject_id: UUID) -> Work:
        async with self.runtime.sessions() as session:
            return await get_work(session, self.kind.name, subject_id)

    async def counted(self, subject_id: UUID) -> list[int]:
        counted = select(COUNTED.c.number).where(COUNTED.c.subject_id == subject_id)
        async with self.runtime.sessions() as session:
            return list(await session.scalars(counted.order_by(COUNTED.c.number)))

    async def moves(self, subject_id: UUID) -> list[str]:
        moved = select(func.concat_ws(" ", MOVE.c.state, MOVE.c.by, MOVE.c.reason))
        async with self.runtime.sessions() as session:
            return list(await session.scalars(moved.where(MOVE.c.subject_id == subject_id).order_by(MOVE.c.position)))

    async def lock_is_waited_for(self) -> bool:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        async with self.runtime.sessions() as session:
            return bool(await session.scalar(waiting))


def settings_for(url: str) -> ServiceSettings:
    return ServiceSettings(
        _env_file=None, database_url=url, kafka_bootstrap_servers="127.0.0.1:1", oidc_issuer="https://issuer"
    )


async def work_until_killed(url: str) -> None:
    """A worker in a process of its own: small slices, each a little late."""
    kind = Tally(slice_size=7)

    async def a_little_late(_: Work) -> None:
        await asyncio.sleep(0.01)

    kind.within = a_little_late
    async with open_runtime("tallies", settings_for(url)) as runtime:
        while await take_turn(kind, runtime):
            pass


if __name__ == "__main__":
    asyncio.run(work_until_killed(sys.argv[1]))
