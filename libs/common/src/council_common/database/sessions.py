"""Engines and sessions. The edge opens the transaction; nothing below it commits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from weakref import WeakKeyDictionary

import asyncpg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

Sessions = async_sessionmaker[AsyncSession]


# The driver reads the address itself (connect_args), for the pool as for the relay's and the jobs' own connections:
# so `?sslmode=verify-full&sslrootcert=FILE` means the same everywhere. SQLAlchemy knows neither word.
DIALECT = "postgresql+asyncpg://"


def driver_url(url: str) -> str:
    """A plain `postgresql://` address as asyncpg takes it (without SQLAlchemy's driver name)."""
    return url.replace(DIALECT, "postgresql://", 1).replace("postgres://", "postgresql://", 1)


def make_engine(url: str, *, pool_size: int = 10, application_name: str = "council") -> AsyncEngine:
    """An engine for one service's database, with at most twice `pool_size` connections."""
    engine = create_async_engine(
        DIALECT,
        # None beyond: SQLAlchemy closes those when they come back, and under load opens them anew for each request.
        pool_size=2 * pool_size,
        max_overflow=0,
        pool_timeout=10,
        pool_recycle=1800,
        # The connection used last has its statements planned; the others are there for when it is busy.
        pool_use_lifo=True,
        # An error's text never carries the values of the statement.
        hide_parameters=True,
        connect_args={
            "dsn": driver_url(url),
            "timeout": 10,
            "command_timeout": 300,
            "server_settings": {"application_name": application_name, "timezone": "UTC", "jit": "off"},
        },
    )
    spare = _SPARE[engine] = _SpareConnections(most=pool_size)
    event.listen(engine.sync_engine, "engine_disposed", spare.close)
    return engine


def make_sessions(engine: AsyncEngine) -> Sessions:
    """Sessions whose rows stay readable after commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


_BEGUN = "transaction and its driver connection"


async def driver(session: AsyncSession) -> Any:
    """The asyncpg connection under a session, its transaction begun: for COPY and for hot paths.

    What runs on it commits or rolls back with the session.
    """
    connection = _begun(session)
    if connection is None:
        connection, around = await _connect(session)
        if not connection.is_in_transaction():  # SQLAlchemy begins with its first statement
            await around.exec_driver_sql("SELECT 1")
    return connection


def _begun(session: AsyncSession) -> Any | None:
    """The driver's connection, where this transaction of the session is known to have begun; every statement asks."""
    transaction, connection = session.info.get(_BEGUN, (None, None))
    if connection is None or transaction is not _innermost(session):
        return None
    return connection if connection.is_in_transaction() else None


async def _connect(session: AsyncSession) -> tuple[Any, AsyncConnection]:
    """The driver's connection and SQLAlchemy's around it."""
    around = await session.connection()
    connection: Any = (await around.get_raw_connection()).driver_connection
    session.info[_BEGUN] = _innermost(session), connection
    return connection, around


def _innermost(session: AsyncSession) -> object:
    """The savepoint or transaction of a session. SQLAlchemy sets a savepoint when a connection is asked for in it."""
    within = session.sync_session
    return within.get_nested_transaction() or within.get_transaction()


async def fetch_row(session: AsyncSession, statement: str, *parameters: Any) -> Mapping[str, Any] | None:
    """The first row of a driver statement (`$1`), None where there is none; it begins the transaction if need be.

    For the few statements that every act makes: a fifth of the cost of the same through the session.
    """
    if not isinstance(session, AsyncSession):  # an act without a transaction (database/at_once.py)
        return cast("Mapping[str, Any] | None", await session.fetch_row(statement, parameters))
    found = await fetch_all(session, statement, *parameters)
    return found[0] if found else None


async def fetch_all(session: AsyncSession, statement: str, *parameters: Any) -> Sequence[Mapping[str, Any]]:
    """The rows of a driver statement (`$1`), beginning the transaction if need be: less than `driver` by a trip.

    For what a transaction begins with.
    """
    connection = _begun(session)
    if connection is None:
        connection, around = await _connect(session)
        if not connection.is_in_transaction():
            rows = (await around.exec_driver_sql(statement, parameters)).mappings().all()
            return cast("Sequence[Mapping[str, Any]]", rows)
    return cast("Sequence[Mapping[str, Any]]", await connection.fetch(statement, *parameters))


class _SpareConnections:
    """Connections that stay taken out of the pool for the next statement by itself: half of the pool at most.

    Taking one out and putting it back costs SQLAlchemy as much as such a statement costs the driver.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._spare: list[Any] = []

    def take(self) -> Any | None:
        """The one used last that is still open."""
        while self._spare:
            pooled = self._spare.pop()
            if not pooled.driver_connection.is_closed():
                return pooled
            pooled.invalidate()
        return None

    def put_back(self, pooled: Any) -> None:
        """Keep it for the next, or give it back to the pool."""
        if len(self._spare) < self._most:
            self._spare.append(pooled)
        else:
            pooled.close()

    def __len__(self) -> int:
        return len(self._spare)

    def close(self, _: object) -> None:
        """The engine lets go of its connections."""
        while self._spare:
            pooled = self._spare.pop()
            pooled.driver_connection.terminate()
            pooled.invalidate()


_SPARE: WeakKeyDictionary[AsyncEngine, _SpareConnections] = WeakKeyDictionary()


def connections_in_use(engine: AsyncEngine) -> int:
    """How many of an engine's connections are at work."""
    out: int = engine.pool.checkedout()  # type: ignore[attr-defined]
    return out - len(_SPARE[engine])


@asynccontextmanager
async def autocommitting(engine: AsyncEngine) -> AsyncIterator[Any]:
    """An asyncpg connection of the engine's pool, outside any transaction: each statement is one by itself.

    For a hot path that is a single statement: one round trip instead of three.
    """
    spare = _SPARE[engine]
    pooled = spare.take() or await engine.raw_connection()
    connection: Any = pooled.driver_connection
    try:
        yield connection
    except BaseException as fault:
        # A statement's own fault leaves the connection as it was; after anything else nobody knows.
        if connection.is_closed() or not isinstance(fault, asyncpg.PostgresError):
            pooled.invalidate()
            pooled.close()
        else:
            spare.put_back(pooled)
        raise
    spare.put_back(pooled)
