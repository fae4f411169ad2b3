"""Real databases and brokers for tests: thrown away, on random ports, beside whatever else runs."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from council_local.kafka import Kafka
from council_local.kafka_users import KafkaUsers
from council_local.ports import free_ports
from council_local.postgres import Postgres, identifier


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """A folder that is gone afterwards, even when a test failed."""
    folder = Path(tempfile.mkdtemp(prefix=f"council-{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def scratch_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """A cluster of one's own, ready for work."""
    with scratch_folder("postgres") as folder:
        server = Postgres(
            folder / "data",
            free_ports(1)[0],
            password_file=folder / "postgres-password",
            log=folder / "postgres.log",
            record=folder / "postgres.json",
            durable=durable,
        )
        server.prepare()
        try:
            server.start()
            server.wait_until_ready()
            yield server
        finally:
            server.stop()


def prepared_kafka(folder: Path, users: KafkaUsers | None = None) -> Kafka:
    """A broker with its settings in a folder, not started yet."""
    port, controller_port = free_ports(2)
    broker = Kafka(
        folder / "data",
        port=port,
        controller_port=controller_port,
        log=folder / "kafka.log",
        record=folder / "kafka.json",
        users=users,
    )
    broker.prepare()
    return broker


@contextmanager
def scratch_kafka() -> Iterator[ScratchKafka]:
    """A broker of one's own, ready for work."""
    with scratch_folder("kafka") as folder:
        broker = prepared_kafka(folder)
        try:
            broker.start()
            broker.wait_until_ready()
            yield ScratchKafka(broker)
        finally:
            broker.stop()


class ScratchKafka:
    """What a fault test does to a broker."""

    def __init__(self, broker: Kafka) -> None:
        self._broker = broker

    @property
    def bootstrap(self) -> str:
        return self._broker.bootstrap

    def create_topics(self, *names: str, partitions: int = 6) -> None:
        self._broker.create_topics(names, partitions=partitions)

    def kill(self) -> None:
        """As a power cut would; acknowledged events must survive it."""
        self._broker.kill()

    def stop(self) -> None:
        self._broker.stop()

    def start(self) -> None:
        self._broker.start()
        self._broker.wait_until_ready()

    def restart(self) -> None:
        """Come back from kill() or, when running, stop in order and start again."""
        self.stop()
        self.start()


class ScratchDatabases:
    """Fresh databases in one cluster: empty, or copies of a template that was migrated once."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        self._templates: set[str] = set()

    @property
    def server(self) -> Postgres:
        return self._server

    def template(self, name: str, prepare: Callable[[str], None]) -> str:
        """Make the template once (`prepare` gets its URL and migrates it); return its name for `fresh`."""
        template = f"template_{name}"
        if template not in self._templates:
            self._server.run_sql(f"create database {identifier(template)}")
            prepare(self._server.url(template))
            self._templates.add(template)
        return template

    def fresh(self, template: str | None = None) -> str:
        """The URL of a new database, in some 30 milliseconds."""
        name = f"scratch_{next(self._numbers)}"
        source = identifier(template) if template else "template0"
        self._server.run_sql(f"create database {identifier(name)} template {source}")
        return self._server.url(name)

    def drop(self, urls: Iterable[str]) -> None:
        for url in urls:
            name = url.rsplit("/", 1)[1]
            self._server.run_sql(f"drop database if exists {identifier(name)} with (force)")
