from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from council_common.database.tables import platform
from council_common.testing.harness import Harness
from invoice_service.register.suppliers.tables import Supplier
from invoice_service.rows import Row
from sqlalchemy import Connection


async def test_the_migrated_database_is_the_one_the_rows_describe(service: Harness) -> None:
    ours = frozenset(Row.metadata.tables)

    def mine(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or name in ours

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": mine})
        return list(compare_metadata(context, Row.metadata))

    assert len(ours) == 9 and Supplier.__tablename__ in ours
    assert not ours & frozenset(platform.tables)
    async with service.runtime.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_route_names_one_scope(service: Harness) -> None:
    document = service.app.openapi()
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) >= 20
    for path, method, operation in operations:
        [scopes] = [next(iter(each.values())) for each in operation["security"]]
        assert len(scopes) == 1, (path, method)
        wanted = "read" if method == "get" else "write"
        assert scopes[0].endswith(wanted) or path.endswith("/approvals"), (path, scopes)
