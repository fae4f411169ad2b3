"""The database keeps what it promised, whoever runs it and however it ended."""

from collections.abc import Callable

import asyncpg
import psutil
import pytest
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


def test_stale_pid_file_that_names_a_living_stranger_is_no_obstacle(own_postgres: Postgres) -> None:
    own_postgres.kill()
    pid_file = own_postgres.data / "postmaster.pid"
    stranger = str(psutil.Process().ppid())
    pid_file.write_text("\n".join([stranger, *pid_file.read_text().splitlines()[1:]]))
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
        server = Postgres(folder / "data", 1, log=folder / "log", record=folder / "pid.json")
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


@pytest.mark.parametrize("name", ["Robert'); drop table", "a-b", "", "1st"])
def test_only_plain_names_enter_sql(name: str) -> None:
    with pytest.raises(ValueError, match="plain"):
        identifier(name)
