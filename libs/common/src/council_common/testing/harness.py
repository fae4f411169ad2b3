"""One service under test: its API, its handlers and its outbox on a real database, rolled back at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from council_common.database.sessions import make_engine, make_sessions
from council_common.database.tables import outbox
from council_common.events.contract import Event, event_types
from council_common.events.envelope import unseal
from council_common.events.handlers import Received
from council_common.identity.tokens import TokenVerifier
from council_common.ids import new_id
from council_common.runtime.clients import ServiceClients
from council_common.runtime.service_runtime import Runtime
from council_common.runtime.settings import ServiceSettings
from council_common.service.command import Service
from council_common.service.jobs import Job
from council_common.testing.issuer import AUDIENCE, ISSUER, TestIssuer

NOW = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)


class Harness:
    """What a test of a service talks to. `now` is the time the service sees; set it to move on."""

    def __init__(self, service: Service, runtime: Runtime, issuer: TestIssuer) -> None:
        self.service = service
        self.runtime = runtime
        self.issuer = issuer
        self.now = NOW
        runtime.clock = lambda: self.now
        app = _app_of(service, runtime.settings)
        app.state.runtime = runtime
        self._transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self.app = app

    def as_(self, role: str, name: str | None = None) -> httpx.AsyncClient:
        """A client with the token of somebody in a role."""
        return self.client({"authorization": f"Bearer {self.issuer.token(role, name)}"})

    def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A client with these headers only."""
        return httpx.AsyncClient(
            transport=self._transport,
            base_url="http://service",
            headers=headers or {},
            event_hooks={"response": [says_where_it_is]},
        )

    async def published(self, *types: type[Event]) -> list[Any]:
        """The events in the outbox, oldest first; only those of some types where named."""
        known = event_types()
        async with self.runtime.sessions() as session:
            rows = (await session.execute(select(outbox).order_by(outbox.c.position))).all()
        events = [unseal(row.payload, known[row.type]).data for row in rows if row.type in known]
        return [event for event in events if not types or isinstance(event, types)]

    async def deliver(self, *events: Event) -> None:
        """Handle events as the consumer would, in one transaction."""
        async with self.runtime.sessions.begin() as session:
            await self.service.handlers.handle(session, [Received(event, new_id(), self.now) for event in events])

    async def run_job(self, job: Job) -> None:
        """Run a job until it says that nothing is waiting."""
        while await job.run_for(self.runtime, self.now):
            pass


async def says_where_it_is(answer: httpx.Response) -> None:
    """Every 201 of every test of every service names the thing and its version (docs/api.md)."""
    if answer.status_code == httpx.codes.CREATED:
        path = f"{answer.request.method} {answer.request.url.path}"
        missing = [name for name in ("location", "etag") if name not in answer.headers]
        if missing:
            raise AssertionError(f"{path} answers 201 without {' and '.join(missing)}")


_apps: dict[Any, FastAPI] = {}


def _app_of(service: Service, settings: ServiceSettings) -> FastAPI:
    """One app a service: building its routes costs more than a test."""
    if service.create_api not in _apps:
        _apps[service.create_api] = service.create_api(settings)
    return _apps[service.create_api]


@asynccontextmanager
async def harness(
    service: Service, settings: type[ServiceSettings], database_url: str, *, rolled_back: bool = True
) -> AsyncIterator[Harness]:
    """A service on a migrated database.

    With `rolled_back` everything happens on one connection inside one transaction that never commits (so no two
    things happen at once); without, on real connections, for tests of races.
    """
    issuer = TestIssuer()
    engine = make_engine(database_url, pool_size=5)
    async with issuer.client() as client:
        own = settings(
            _env_file=None,
            database_url=database_url,
            kafka_bootstrap_servers="127.0.0.1:1",
            oidc_issuer=ISSUER,
            log_level="ERROR",
        )
        verifier = TokenVerifier(issuer=ISSUER, audience=AUDIENCE, client=client)
        clients = ServiceClients(own, client)
        if not rolled_back:
            yield Harness(service, Runtime(service.name, own, engine, make_sessions(engine), verifier, clients), issuer)
        else:
            async with engine.connect() as connection:
                outer = await connection.begin()
                sessions = async_sessionmaker(
                    connection,
                    class_=AsyncSession,
                    expire_on_commit=False,
                    join_transaction_mode="create_savepoint",
                )
                yield Harness(service, Runtime(service.name, own, engine, sessions, verifier, clients), issuer)
                await outer.rollback()
    await engine.dispose()
