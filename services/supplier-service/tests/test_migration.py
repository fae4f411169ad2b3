from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from council_common.database.tables import platform
from council_common.testing.harness import Harness
from sqlalchemy import CheckConstraint, Connection, text
from supplier_service.rows import Row


async def test_the_migrated_database_is_the_one_the_rows_describe(service: Harness) -> None:
    ours = frozenset(Row.metadata.tables)

    def mine(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or name in ours

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": mine})
        return list(compare_metadata(context, Row.metadata))

    assert len(ours) == 11
    assert not ours & frozenset(platform.tables)
    async with service.runtime.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_its_checks_are_those_the_rows_name(service: Harness) -> None:
    """By name: Alembic's comparison sees neither checks nor triggers."""
    described = {
        constraint.name
        for table in Row.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    checks = text("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid::regclass::text = ANY(:tables)")
    triggers = text("SELECT tgrelid::regclass::text || ' ' || tgname FROM pg_trigger WHERE NOT tgisinternal")
    async with service.runtime.engine.connect() as connection:
        found = await connection.execute(checks, {"tables": list(Row.metadata.tables)})
        guarded = set((await connection.execute(triggers)).scalars())
    assert set(found.scalars()) == described
    assert guarded >= {
        "bank_account refuse_edit",
        "bank_account_evidence refuse_edit",
        "bank_account_call_back refuse_edit",
        "bank_account_warning_contact refuse_edit",
        "bank_account_change refuse_rewrite",
    }
