"""The database keeps what it promised, whichever user runs it and however it ended."""

import uuid
from collections.abc import Callable
from datetime import date

import asyncpg
import psutil
import pytest
from council_local.ports import free_ports
from council_local.postgres import Postgres, identifier
from council_local.scratch import ScratchDatabases, scratch_folder, scratch_postgres


def test_committed_rows_survive_kill_and_restart(own_postgres: Postgres) -> None:
    own_postgres.run_sql("create table promise (kept int)")
    for number in range(20):
        own_postgres.run_sql(f"insert into promise values ({number})")
    own_postgres.kill()
    own_postgres.start()
    own_postgres.wait_until_ready()
    assert own_postgres.run_sql("select count(*) from promise") == "20"


def test_stale_pid_file_that_names_a_process_of_another_program_is_no_obstacle(own_postgres: Postgres) -> None:
    own_postgres.kill()
    pid_file = own_postgres.data / "postmaster.pid"
    other = str(psutil.Process().ppid())
    pid_file.write_text("\n".join([other, *pid_file.read_text().splitlines()[1:]]))
    own_postgres.start()
    own_postgres.wait_until_ready()
    assert own_postgres.run_sql("select 1") == "1"


def test_two_clusters_run_side_by_side(postgres: Postgres) -> None:
    with scratch_postgres() as other:
        other.create_databases(["elsewhere"])
        assert other.run_sql("select 1", database="elsewhere") == "1"
        assert "elsewhere" not in postgres.run_sql("select datname from pg_database")


def test_half_made_cluster_is_made_again() -> None:
    # Not in pytest's own folder: each new session of the same user shuts that to PostgreSQL's user again.
    with scratch_folder("half-made") as folder:
        unfinished = folder / "data.unfinished"
        unfinished.mkdir()
        (unfinished / "PG_VERSION").write_text("18\n")
        server = Postgres(
            folder / "data", 1, password_file=folder / "password", log=folder / "log", record=folder / "pid.json"
        )
        server.prepare()
        assert (folder / "data" / "global" / "pg_control").exists()


def test_create_databases_twice_makes_them_once(own_postgres: Postgres) -> None:
    own_postgres.create_databases(["supplier", "invoice"])
    own_postgres.create_databases(["supplier", "invoice", "debt"])
    names = own_postgres.run_sql("select datname from pg_database").splitlines()
    assert names.count("invoice") == 1
    assert "debt" in names


async def test_fresh_database_has_the_templates_tables(
    databases: ScratchDatabases, database_url: Callable[..., str]
) -> None:
    def migrate(url: str) -> None:
        databases.server.run_sql("create table noun (id int)", database=url.rsplit("/", 1)[1])

    template = databases.template("nouns", migrate)
    for _ in range(2):
        connection = await asyncpg.connect(database_url(template))
        await connection.execute("insert into noun values (1)")
        assert await connection.fetchval("select count(*) from noun") == 1
        await connection.close()


async def test_a_service_may_add_extensions_to_the_database_it_owns(postgres: Postgres) -> None:
    # In containers and in production the role that migrates owns its database and is no superuser.
    postgres.run_sql("create role migrator login password 'migrator'")
    postgres.run_sql("create database owned owner migrator")
    try:
        connection = await asyncpg.connect(f"postgresql://migrator:migrator@127.0.0.1:{postgres.port}/owned")
        for extension in ("btree_gist", "pg_trgm", "unaccent"):
            await connection.execute(f"CREATE EXTENSION {extension}")
        await connection.close()
    finally:
        postgres.run_sql("drop database owned with (force)")
        postgres.run_sql("drop role migrator")


async def test_btree_gist_refuses_overlapping_days_of_one_supplier_only(database_url: Callable[..., str]) -> None:
    connection = await asyncpg.connect(database_url())
    try:
        await connection.execute(
            "CREATE EXTENSION btree_gist; "
            "CREATE TABLE agreement (supplier_id uuid, days daterange, "
            "EXCLUDE USING gist (supplier_id WITH =, days WITH &&))"
        )
        insert = "INSERT INTO agreement SELECT $1, daterange($2, $3)"
        one, other = uuid.uuid4(), uuid.uuid4()
        await connection.execute(insert, one, date(2026, 1, 1), date(2026, 4, 1))
        await connection.execute(insert, other, date(2026, 3, 31), date(2026, 5, 1))
        with pytest.raises(asyncpg.ExclusionViolationError):
            await connection.execute(insert, one, date(2026, 3, 31), date(2026, 5, 1))
    finally:
        await connection.close()


@pytest.mark.parametrize("name", ["Robert'); drop table", "a-b", "", "1st"])
def test_only_plain_names_enter_sql(name: str) -> None:
    with pytest.raises(ValueError, match="plain"):
        identifier(name)


async def _refused(url: str) -> bool:
    try:
        await (await asyncpg.connect(url)).close()
    except asyncpg.InvalidAuthorizationSpecificationError:
        return True
    return False


def _urls_without_the_password(server: Postgres) -> list[str]:
    """Addresses without the password, and with a wrong one."""
    where = f"127.0.0.1:{server.port}/postgres"
    return [
        f"postgresql://postgres@{where}",
        f"postgresql://postgres:guessed@{where}",
        f"postgresql://pgserver@{where}",
    ]


async def test_a_connection_without_the_password_is_refused(postgres: Postgres) -> None:
    assert not await _refused(postgres.url())
    assert [await _refused(url) for url in _urls_without_the_password(postgres)] == [True, True, True]
    assert "trust" not in (postgres.data / "pg_hba.conf").read_text()


async def test_a_cluster_that_asked_for_no_password_gets_one_and_keeps_its_rows() -> None:
    with scratch_folder("open-cluster") as folder:
        (port,) = free_ports(1)
        password = folder / "keys" / "password"

        def server() -> Postgres:
            return Postgres(folder / "data", port, password_file=password, log=folder / "log", record=folder / "pid")

        first = server()
        first.prepare()
        hba = first.data / "pg_hba.conf"
        hba.write_text("host all all 127.0.0.1/32 trust\n")
        first.start()
        first.wait_until_ready()
        first.run_sql("create table promise (kept int); insert into promise values (1)")
        first.kill()
        password.unlink()
        second = server()
        second.prepare()
        try:
            second.start()
            second.wait_until_ready()
            assert second.run_sql("select kept from promise") == "1"
            assert [await _refused(url) for url in _urls_without_the_password(second)] == [True, True, True]
            assert password.stat().st_mode & 0o777 == 0o600
        finally:
            second.stop()
