"""The migrations of a service make the tables that its code describes: columns, CHECKs, keys, indexes, triggers."""

import asyncio
import importlib
import pkgutil
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from council_common.database.migrations import alembic_config, migrate
from council_common.database.sessions import DIALECT, driver_url
from council_local.scratch import ScratchDatabases
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

SERVICES = ("supplier", "invoice", "rebate", "debt", "notification")

_COLUMNS = """
SELECT c.relname AS "table", a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required,
    pg_get_expr(d.adbin, d.adrelid) AS fallback
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'alembic_version'
    AND a.attnum > 0 AND NOT a.attisdropped
"""
_CONSTRAINTS = """
SELECT c.relname AS "table", k.conname AS name, pg_get_constraintdef(k.oid) AS definition
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND k.contype <> 'n' AND c.relname <> 'alembic_version'
"""
_INDEXES = """
SELECT indexname AS name, indexdef AS definition FROM pg_indexes
WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
_TRIGGERS = """
SELECT c.relname AS "table", t.tgname AS name, pg_get_triggerdef(t.oid) AS definition
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
"""


async def catalogue(url: str, *, triggers: bool) -> dict[str, dict[str, tuple[Any, ...]]]:
    """What a database holds, by kind and name."""
    connection = await asyncpg.connect(driver_url(url))
    try:
        kinds = {"column": _COLUMNS, "constraint": _CONSTRAINTS, "index": _INDEXES}
        kinds |= {"trigger": _TRIGGERS} if triggers else {}
        found: dict[str, dict[str, tuple[Any, ...]]] = {}
        for kind, query in kinds.items():
            rows = [dict(row) for row in await connection.fetch(query)]
            found[kind] = {
                f"{row.get('table', '')}.{row['name']}": tuple(row[key] for key in sorted(row) if key != "name")
                for row in rows
            }
        return found
    finally:
        await connection.close()


async def create_all(url: str, metadata: Any, *, like: str) -> None:
    """The tables of metadata, with the extensions of another database."""
    other = await asyncpg.connect(driver_url(like))
    extensions = await other.fetch("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'")
    await other.close()
    engine = create_async_engine(DIALECT, poolclass=NullPool, connect_args={"dsn": driver_url(url)})
    async with engine.begin() as connection:
        for extension in extensions:
            await connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {extension['extname']}")
        await connection.run_sync(metadata.create_all)
    await engine.dispose()


def prepared(name: str, databases: ScratchDatabases) -> tuple[str, str]:
    """Two databases of a service: one by its migrations, one by its metadata on the platform's tables."""
    service = importlib.import_module(f"{name}_service.main").SERVICE
    package = importlib.import_module(f"{name}_service")
    for module in pkgutil.walk_packages(package.__path__, f"{name}_service."):
        if module.name.endswith(".tables"):
            importlib.import_module(module.name)
    metadata = importlib.import_module(f"{name}_service.rows").Row.metadata
    migrated, described = databases.fresh(), databases.fresh()
    migrate(service.folder, migrated)
    migrate(service.folder, described, "platform@head")
    asyncio.run(create_all(described, metadata, like=migrated))
    return migrated, described


@pytest.mark.parametrize("name", SERVICES)
def test_the_migrations_make_what_the_tables_say(name: str, databases: ScratchDatabases) -> None:
    migrated, described = prepared(name, databases)
    by_migration = asyncio.run(catalogue(migrated, triggers=True))
    by_metadata = asyncio.run(catalogue(described, triggers=True))
    # Triggers of a room's own are written in its migration alone; those that metadata describes must be there.
    by_migration["trigger"] = {key: by_migration["trigger"].get(key, ()) for key in by_metadata["trigger"]}
    for kind, described_there in by_metadata.items():
        missing = {key: value for key, value in described_there.items() if by_migration[kind].get(key) != value}
        extra = {key: value for key, value in by_migration[kind].items() if described_there.get(key) != value}
        assert (missing, extra) == ({}, {}), kind
    databases.drop([migrated, described])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_one_head_beside_the_platform(name: str) -> None:
    service = importlib.import_module(f"{name}_service.main").SERVICE
    script = ScriptDirectory.from_config(alembic_config(service.folder, "postgresql://nowhere"))
    assert len(script.get_heads()) == 2


@pytest.mark.parametrize("name", SERVICES)
def test_a_room_has_one_migration(name: str) -> None:
    """Until the first release a room's migration is rewritten, not added to."""
    service = importlib.import_module(f"{name}_service.main").SERVICE
    files = sorted((Path(service.folder) / "migrations" / "versions").glob("*.py"))
    rooms = [path.stem.split("_", 2)[2] for path in files]
    assert len(rooms) == len(set(rooms))
    package = Path(importlib.import_module(f"{name}_service").__file__ or "").parent
    folders = {path.name for path in package.rglob("*") if path.is_dir()}
    assert set(rooms) <= folders, f"{set(rooms) - folders} is no room"
