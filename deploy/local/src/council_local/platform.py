"""The whole platform as one object: started in order, kept alive, ended in reverse order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from council_common.events.access import grant_access
from council_common.events.topics import ALL_TOPICS

from council_local import parts
from council_local.claim import Claim, end_leftovers
from council_local.environment import environment_with_file
from council_local.envoy import gateway
from council_local.folders import Folders
from council_local.kafka import declare_topics
from council_local.keeper import Keeper
from council_local.keys import machine_clients
from council_local.part import Part
from council_local.ports import LOOPBACK, Ports, refuse_busy
from council_local.surroundings import SERVICES, Surroundings, mail_url
from council_local.tokens import Tokens


class State(StrEnum):
    """What the start-up display says of a part."""

    PREPARING = "preparing"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    RESTARTING = "restarting"
    STOPPED = "stopped"
    ELSEWHERE = "the council's own"


Report = Callable[[str, State, str], None]


def _report_nothing(part: str, state: State, detail: str) -> None:
    del part, state, detail


class Platform:
    """Database, broker, issuer, mail sink, five services and the gateway on one machine."""

    def __init__(
        self,
        folders: Folders | None = None,
        ports: Ports | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        services: Sequence[str] = SERVICES,
        with_gateway: bool = True,
        report: Report = _report_nothing,
    ) -> None:
        environment = environment_with_file() if environment is None else environment
        self.around = Surroundings(
            folders or Folders.from_environment(environment),
            ports or Ports.from_environment(environment),
            environment,
        )
        self._services = tuple(services)
        self._with_gateway = with_gateway
        self._report = report
        self._claim = Claim(self.around.folders)
        self._keeper = Keeper(self.around.folders, report=lambda part, detail: report(part, State.RESTARTING, detail))

    # Where things are

    @property
    def gateway_url(self) -> str:
        return f"http://{LOOPBACK}:{self.around.ports.gateway}"

    @property
    def mail_url(self) -> str:
        """The mail sink's page, with the secret it asks for."""
        return mail_url(self.around.folders, self.around.ports)

    @property
    def issuer_url(self) -> str:
        return self.around.issuer

    @property
    def kafka_bootstrap(self) -> str:
        return self.around.kafka_bootstrap

    def service_url(self, service: str) -> str:
        return self.around.service_url(service)

    def database_url(self, service: str) -> str:
        return self.around.database_url(service)

    def token(self, role: str, *, name: str | None = None, hours: float = 8) -> str:
        """A colleague's token, as `make token ROLE=…` prints it."""
        return Tokens.of(self.around.folders.keys, self.issuer_url).for_person(role, name=name, hours=hours)

    def machine_token(self, client_id: str, *, seconds: float = 3600) -> str:
        """A system's token, such as the ERP's."""
        keys = self.around.folders.keys
        return Tokens.of(keys, self.issuer_url).for_machine(machine_clients(keys)[client_id], seconds=seconds)

    # Beginning and end

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Return when every part is ready; when one is not, end the others and raise its reason."""
        folders = self.around.folders
        folders.make()
        self._claim.take()
        try:
            await asyncio.to_thread(end_leftovers, folders)
            refuse_busy(self._own_ports())
            await self._start_parts()
        except BaseException:
            await self.stop()
            raise
        self._keeper.watch()

    async def stop(self) -> None:
        """End every part in the reverse order of its start."""
        await self._keeper.stop_all(lambda part: self._report(part, State.STOPPED, ""))
        self._claim.let_go()

    async def _start_parts(self) -> None:
        for service in self._services:
            self._report(service, State.PREPARING, "waits for its database")
        await _all_or_first_error(self._start_databases(), self._start_broker(), self._start_companions())
        services = [parts.service_part(self.around, name) for name in self._services]
        await _all_or_first_error(*(self._begin(part) for part in services))
        if self._with_gateway:
            service_ports = {name: self.around.service_port(name) for name in SERVICES}
            door = gateway(self.around.folders, self.around.ports, service_ports=service_ports, issuer=self.issuer_url)
            await self._begin(door, self.gateway_url)

    async def _start_databases(self) -> None:
        if self.around.local_databases:
            server = parts.postgres_part(self.around)
            await self._begin(server, f"{LOOPBACK}:{server.port}")
            await asyncio.to_thread(server.create_databases, self.around.local_databases)
        else:
            self._report("postgres", State.ELSEWHERE, "each service has a database of its own")

    async def _start_broker(self) -> None:
        if self.around.own_kafka:
            self._report("kafka", State.ELSEWHERE, self.around.own_kafka)
        else:
            broker = parts.kafka_part(
                self.around, progress=lambda how_far: self._report("kafka", State.PREPARING, how_far)
            )
            await self._begin(broker, broker.bootstrap)
        security = self.around.kafka_security()
        await declare_topics(self.kafka_bootstrap, ALL_TOPICS, security=security)
        if not self.around.own_kafka:  # who may do what at the council's broker is the council's to say
            await grant_access(self.kafka_bootstrap, security=security)

    async def _start_companions(self) -> None:
        await self._begin(parts.issuer_part(self.around), self.issuer_url)
        await self._begin(parts.mail_part(self.around), f"{LOOPBACK}:{self.around.ports.mail_page}")

    async def _begin(self, part: Part, where: str = "") -> None:
        """Prepare, start, and wait until the part can work."""
        try:
            self._report(part.name, State.PREPARING, "")
            await asyncio.to_thread(part.prepare)
            self._report(part.name, State.STARTING, "")
            self._keeper.add(part)
            await part.begin()
            await part.become_ready()
        except BaseException:
            self._report(part.name, State.FAILED, "")
            raise
        self._report(part.name, State.READY, where or self.around.service_url(part.name))

    def _own_ports(self) -> dict[str, int]:
        theirs = {"kafka", "kafka_controller"} if self.around.own_kafka else set()
        theirs |= set() if self.around.local_databases else {"postgres"}
        theirs |= set() if self._with_gateway else {"gateway", "gateway_admin"}
        theirs |= set(SERVICES) - set(self._services)
        return {name: port for name, port in self.around.ports.named().items() if name not in theirs}

    # Accidents, for tests and for the demonstration

    def kill(self, part: str, *, revive: bool = True) -> None:
        """End a part as a power cut would; it is restarted at once, or with `revive=False` by `restart` only."""
        self._keeper.kill(part, revive=revive)

    async def restart(self, part: str) -> None:
        """End a part in order if it runs, start it again, return when it is ready."""
        await self._keeper.restart(part)

    async def ready(self, part: str) -> None:
        """Return when the part works again, after it was killed."""
        await self._keeper.ready(part)

    def parts(self) -> list[Part]:
        """Every started part, in the order of the start."""
        return self._keeper.parts()


async def _all_or_first_error(*work: Coroutine[Any, Any, None]) -> None:
    """Run side by side; the first failure stops the rest and is raised as it is, not as a group."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
