"""The real parts a benchmark runs on: a cluster and a broker of its own, migrated and declared."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from council_common.database.migrations import migrate
from council_common.events.topics import ALL_TOPICS
from council_local.postgres import Postgres
from council_local.scratch import ScratchDatabases, ScratchKafka, scratch_folder, scratch_kafka, scratch_postgres


@dataclass
class Parts:
    """`database("invoice")` is a fresh, migrated database of that service; `folder` is for files of any kind."""

    postgres: Postgres
    databases: ScratchDatabases
    broker: ScratchKafka
    folder: Path

    @property
    def bootstrap(self) -> str:
        return self.broker.bootstrap

    def database(self, service: str) -> str:
        return self.databases.fresh(self.databases.template(service, lambda url: _migrate(service, url)))

    def filled_once(self, service: str, name: str, fill: Callable[[str], None]) -> str:
        """A migrated database that several benchmarks share; `fill` gets its URL the first time."""

        def prepare(url: str) -> None:
            _migrate(service, url)
            fill(url)

        return self.postgres.url(self.databases.template(name, prepare))


def _migrate(service: str, url: str) -> None:
    folder = importlib.import_module(f"{service}_service.main").SERVICE.folder
    with ThreadPoolExecutor(1) as thread:  # alembic runs an event loop of its own
        thread.submit(migrate, folder, url).result()


@contextmanager
def parts() -> Iterator[Parts]:
    """PostgreSQL as in production (durable) and Kafka, for the length of a block."""
    with scratch_folder("bench") as folder, scratch_postgres(durable=True) as server, scratch_kafka() as broker:
        broker.create_topics(*ALL_TOPICS)
        yield Parts(server, ScratchDatabases(server), broker, folder)
