"""A table of the tests' own, listed and recorded as a room's are."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from council_common.database.columns import listed_table
from council_common.database.migrations import migrate
from council_common.database.sessions import DIALECT, driver_url, make_engine, make_sessions
from council_common.runtime.settings import ServiceSettings
from council_common.testing.harness import Harness, harness
from council_local.scratch import ScratchDatabases
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

sys.path.insert(0, str(Path(__file__).parent))

from frame_parcels import PARCEL, Parcels
from parcels_api import SERVICE


async def _prepare(url: str) -> None:
    engine = create_async_engine(DIALECT, poolclass=NullPool, connect_args={"dsn": driver_url(url)})
    async with engine.begin() as connection:
        for statement in (*PARCEL, *listed_table("parcel")):
            await connection.exec_driver_sql(statement)
    await engine.dispose()


@pytest.fixture(scope="session")
def parcels_template(databases: ScratchDatabases, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("parcels-service")
    (folder / "migrations" / "versions").mkdir(parents=True)
    (folder / "alembic.ini").write_text("[alembic]\n")
    (folder / "migrations" / "env.py").write_text(
        "from council_common.database.migrations import run\nfrom sqlalchemy import MetaData\nrun(MetaData())\n"
    )

    def prepare(url: str) -> None:
        migrate(folder, url)
        asyncio.run(_prepare(url))

    return databases.template("parcels", prepare)


@pytest.fixture
async def parcels(parcels_template: str, database_url: Callable[[str], str]) -> AsyncIterator[Parcels]:
    url = database_url(parcels_template)
    engine = make_engine(url, pool_size=3)
    yield Parcels(make_sessions(engine))
    await engine.dispose()


@pytest.fixture
async def database(parcels_template: str, database_url: Callable[[str], str]) -> str:
    return database_url(parcels_template)


@pytest.fixture
async def service(database: str) -> AsyncIterator[Harness]:
    async with harness(SERVICE, ServiceSettings, database, rolled_back=False) as running:
        yield running


@pytest.fixture
async def erp(service: Harness) -> AsyncIterator[httpx.AsyncClient]:
    async with service.as_("erp") as client:
        yield client
