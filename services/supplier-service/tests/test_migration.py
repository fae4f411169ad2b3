from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from council_common.database.tables import platform
from council_common.testing.harness import Harness
from sqlalchemy import Connection
from supplier_service.rows import Row


async def test_the_migrated_database_is_the_one_the_rows_describe(service: Harness) -> None:
    ours = frozenset(Row.metadata.tables)

    def mine(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or name in ours

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": mine})
        return list(compare_metadata(context, Row.metadata))

    assert len(ours) == 9
    assert not ours & frozenset(platform.tables)
    async with service.runtime.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
