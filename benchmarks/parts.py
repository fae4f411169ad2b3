"""The real parts a benchmark runs on: a cluster and a broker of its own, migrated and declared."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from council_common.database.migrations import migrate
from council_common.events.topics import ALL_TOPICS
from council_local.postgres import Postgres
from council_local.scratch import ScratchDatabases, ScratchKafka, scratch_kafka, scratch_postgres


@dataclass
class Parts:
    """`database("invoice")` is a fresh, migrated database of that service."""

    postgres: Postgres
    databases: ScratchDatabases
    broker: ScratchKafka

    @property
    def bootstrap(self) -> str:
        return self.broker.bootstrap

    def database(self, service: str) -> str:
        return self.databases.fresh(self.databases.template(service, lambda url: _migrate(service, url)))


def _migrate(service: str, url: str) -> None:
    folder = importlib.import_module(f"{service}_service.main").SERVICE.folder
    with ThreadPoolExecutor(1) as thread:  # alembic runs an event loop of its own
        thread.submit(migrate, folder, url).result()


@contextmanager
def parts() -> Iterator[Parts]:
    """PostgreSQL as in production (durable) and Kafka, for the length of a block."""
    with scratch_postgres(durable=True) as server, scratch_kafka() as broker:
        broker.create_topics(*ALL_TOPICS)
        yield Parts(server, ScratchDatabases(server), broker)
