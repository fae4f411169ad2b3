"""Bringing a service's database to its newest shape: the platform's tables and the service's own."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from council_common.database.sessions import DIALECT, driver_url
from council_common.database.tables import platform

PLATFORM_VERSIONS = Path(__file__).parent / "versions"
LOCK_TIMEOUT = "5s"  # a migration that would queue behind a long transaction gives up instead of blocking everybody


def alembic_config(service_folder: Path, database_url: str) -> Config:
    """Alembic's configuration of one service: two branches, the platform's tables and the service's."""
    config = Config(service_folder / "alembic.ini")
    config.set_main_option("script_location", str(service_folder / "migrations"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{PLATFORM_VERSIONS}\n{service_folder / 'migrations' / 'versions'}")
    config.attributes["database_url"] = database_url
    return config


def migrate(service_folder: Path, database_url: str, revision: str = "heads") -> None:
    """Bring the database to its newest shape; nothing happens when it is there."""
    command.upgrade(alembic_config(service_folder, database_url), revision)


def run(metadata: MetaData) -> None:
    """What every service's `migrations/env.py` calls."""
    asyncio.run(_run(context.config.attributes["database_url"], metadata))


async def _run(url: str, metadata: MetaData) -> None:
    engine = create_async_engine(DIALECT, poolclass=pool.NullPool, connect_args={"dsn": driver_url(url)})
    async with engine.connect() as connection:
        await connection.run_sync(_run_on, metadata)
        await connection.commit()
    await engine.dispose()


def _run_on(connection: Connection, metadata: MetaData) -> None:
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    context.configure(
        connection=connection,
        target_metadata=[platform, metadata],
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        # Two replicas migrating at once: the second waits here and then finds nothing to do.
        connection.execute(text("SET LOCAL lock_timeout = '120s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('council-migrations'))"))
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        context.run_migrations()
