"""Real parts for every test that asks: PostgreSQL and Kafka from wheels, thrown away afterwards.

Each pytest process (also each worker of `-n`) has its own, started at the first request and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from council_local.postgres import Postgres
from council_local.scratch import ScratchDatabases, ScratchKafka, scratch_kafka, scratch_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The session's cluster."""
    with scratch_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """The session's cluster, by the URL of its `postgres` database."""
    return postgres.url()


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> ScratchDatabases:
    """Templates that live as long as the session: `databases.template("invoice", migrate)`."""
    return ScratchDatabases(postgres)


@pytest.fixture
def database_url(databases: ScratchDatabases) -> Iterator[Callable[..., str]]:
    """A factory: each `database_url(template=None)` is a new database, dropped when the test ends."""
    made: list[str] = []

    def fresh(template: str | None = None) -> str:
        made.append(databases.fresh(template))
        return made[-1]

    yield fresh
    databases.drop(made)


@pytest.fixture(scope="session")
def shared_kafka() -> Iterator[ScratchKafka]:
    """The session's broker: topics of your own name, never kill it."""
    with scratch_kafka() as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka_bootstrap(shared_kafka: ScratchKafka) -> str:
    """Where the session's broker listens."""
    return shared_kafka.bootstrap


@pytest.fixture
def kafka() -> Iterator[ScratchKafka]:
    """A broker of the test's own, to kill and restart."""
    with scratch_kafka() as broker:
        yield broker


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A cluster of the test's own, to kill and restart."""
    with scratch_postgres() as server:
        yield server


_MARKS = {"postgres": "database", "own_postgres": "database", "shared_kafka": "broker", "kafka": "broker"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the parts they ask for, so that `make unit` can leave those out."""
    for item in items:
        for fixture in set(getattr(item, "fixturenames", ())) & _MARKS.keys():
            item.add_marker(_MARKS[fixture])
