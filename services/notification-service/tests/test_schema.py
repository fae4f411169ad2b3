from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from council_common.database.sessions import driver_url
from council_common.database.tables import platform
from notification_service.main import SERVICE
from notification_service.rows import Row
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

assert SERVICE.handlers  # every room's tables are imported with the service


async def test_the_migrations_make_the_tables_of_the_code(service_database: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, [platform, Row.metadata]))  # type: ignore[arg-type]

    engine = create_async_engine(
        driver_url(service_database).replace("postgresql://", "postgresql+asyncpg://"), poolclass=NullPool
    )
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()
