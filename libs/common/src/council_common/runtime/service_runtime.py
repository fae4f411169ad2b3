"""What a running service holds: its settings, database, clock, token verifier and clients of the others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from council_common.clock import Clock, utc_now
from council_common.database.sessions import Sessions, make_engine, make_sessions
from council_common.identity.source_systems import Bindings
from council_common.identity.tokens import TokenVerifier
from council_common.runtime.clients import ServiceClients
from council_common.runtime.settings import ServiceSettings


@dataclass
class Runtime:
    """Opened once in a process, for API and worker alike; tests build their own."""

    name: str
    settings: ServiceSettings
    engine: AsyncEngine
    sessions: Sessions
    verifier: TokenVerifier
    clients: ServiceClients
    clock: Clock = field(default=utc_now)
    bindings: Bindings = field(default_factory=Bindings)


@asynccontextmanager
async def open_runtime(name: str, settings: ServiceSettings) -> AsyncIterator[Runtime]:
    """A runtime for the length of a block."""
    engine = make_engine(settings.database_url, pool_size=settings.database_pool_size, application_name=name)
    try:
        async with httpx.AsyncClient(timeout=httpx.Timeout(5.0)) as client:
            yield Runtime(
                name=name,
                settings=settings,
                engine=engine,
                sessions=make_sessions(engine),
                verifier=TokenVerifier(issuer=settings.oidc_issuer, audience=settings.oidc_audience, client=client),
                clients=ServiceClients(settings, client),
            )
    finally:
        await engine.dispose()
