"""The commands of a service: `python -m <name>_service api`, `worker`, `serve`, `migrate` … or the name of a job."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import uvicorn
from fastapi import FastAPI

from council_common.database.migrations import migrate
from council_common.events.access import grant_access
from council_common.events.broker_watch import BrokerWatch
from council_common.events.dead_letters import discard_dead_letter, replay_dead_letters
from council_common.events.handlers import Handlers
from council_common.events.topics import create_topics
from council_common.observability.logs import configure_logs, get_logger
from council_common.observability.traces import configure_traces
from council_common.runtime.memory import collect_cycles_seldom
from council_common.runtime.service_runtime import open_runtime
from council_common.runtime.settings import ServiceSettings
from council_common.service.api import build_api
from council_common.service.health import broker_answers
from council_common.service.jobs import Job, run_job_now
from council_common.service.worker import PURGE, run_worker

log = get_logger()


COMMANDS = {
    "api": "serve the API",
    "worker": "relay and handle events, run jobs",
    "serve": "bring the database to its newest shape, then API and worker in one process",
    "migrate": "bring the database to its newest shape",
    "create-topics": "bring the broker to what is declared: topics, their retention, who may write and read them",
}
DEAD_LETTER_COMMANDS = ("replay-dead", "discard-dead")


@dataclass(frozen=True)
class Service:
    """A service as its composition root describes it. `folder` holds `alembic.ini` and `migrations/`.

    Handlers and jobs are its rooms': `Handlers.including(receipts.handlers, …)`, `(*receipts.JOBS, …)`. Raises
    ValueError where two jobs, or a job and a command, share a name: they would share the lock as well.
    """

    name: str
    folder: Path
    settings: Callable[[], ServiceSettings]
    create_api: Callable[[ServiceSettings], FastAPI]
    handlers: Handlers = field(default_factory=Handlers)
    jobs: tuple[Job, ...] = ()

    def __post_init__(self) -> None:
        names = Counter([*COMMANDS, *DEAD_LETTER_COMMANDS, PURGE.name, *(job.name for job in self.jobs)])
        if shared := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"{self.name} has more than one job or command named {', '.join(shared)}.")


def service_command(service: Service, arguments: list[str] | None = None) -> None:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(prog=service.name)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text)
    replay = commands.add_parser("replay-dead", help="handle dead letters again")
    replay.add_argument("ids", nargs="*", type=UUID, help="only these (all when none is named)")
    discard = commands.add_parser("discard-dead", help="give up a dead letter that can never be handled")
    discard.add_argument("id", type=UUID)
    discard.add_argument("--reason", required=True, help="why, for the log")
    for job in service.jobs:
        commands.add_parser(job.name, help=f"run the job {job.name} now")
    options = parser.parse_args(arguments)
    settings = service.settings()
    configure_logs(service.name, format_=settings.log_format, level=settings.log_level)
    configure_traces(service.name, endpoint=settings.otel_exporter_otlp_endpoint)
    collect_cycles_seldom()
    _run(service, settings, options)


def _run(service: Service, settings: ServiceSettings, options: argparse.Namespace) -> None:
    match options.command:
        case "migrate":
            migrate(service.folder, settings.database_url)
        case "api":
            asyncio.run(_serve(service, settings, api=True, worker=False))
        case "worker":
            asyncio.run(_serve(service, settings, api=False, worker=True))
        case "serve":
            migrate(service.folder, settings.database_url)
            asyncio.run(_serve(service, settings, api=True, worker=True))
        case "create-topics":
            asyncio.run(_settle_broker(settings))
        case "replay-dead":
            asyncio.run(_replay(service, settings, options.ids))
        case "discard-dead":
            asyncio.run(_discard(service, settings, options.id, options.reason))
        case job_name:
            asyncio.run(_run_job(service, settings, job_name))


async def _settle_broker(settings: ServiceSettings) -> None:
    servers, security = settings.kafka_bootstrap_servers, settings.kafka_security
    created = await create_topics(servers, replication_factor=settings.kafka_replication_factor, security=security)
    changed = await grant_access(servers, security=security)
    log.info("broker_settled", topics_created=created, access_changed=changed)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: one place decides when to stop."""

    def install_signal_handlers(self) -> None: ...

    def capture_signals(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()


async def _serve(service: Service, settings: ServiceSettings, *, api: bool, worker: bool) -> None:
    """Run until SIGINT or SIGTERM. A worker alone still answers health and metrics on its port."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    app = service.create_api(settings) if api else build_api(service.name, settings, routers=(), description="Worker")
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=20,
        server_header=False,
        # No route speaks WebSocket; left to itself, uvicorn loads a library for it.
        ws="none",
    )
    server = _Server(config)
    watch = BrokerWatch(lambda: broker_answers(settings.kafka_bootstrap_servers, settings.kafka_security))
    async with open_runtime(service.name, settings) as runtime, asyncio.TaskGroup() as group:
        app.state.runtime = runtime
        group.create_task(watch.run(stop))
        group.create_task(server.serve())
        group.create_task(_end_server(server, stop))
        if worker:
            work = run_worker(runtime, handlers=service.handlers, jobs=service.jobs, stop=stop, is_away=watch.is_away)
            group.create_task(work)
    log.info("stopped")


async def _end_server(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


async def _replay(service: Service, settings: ServiceSettings, ids: list[UUID]) -> None:
    async with open_runtime(service.name, settings) as runtime:
        handled, failed = await replay_dead_letters(runtime.sessions, service.handlers, clock=runtime.clock, only=ids)
    log.info("dead_letters_replayed", handled=handled, failed=[str(letter_id) for letter_id, _ in failed])
    for letter_id, reason in failed:
        log.warning("dead_letter_stays", dead_letter_id=str(letter_id), reason=reason)
    if failed:
        raise SystemExit(1)


async def _discard(service: Service, settings: ServiceSettings, letter_id: UUID, reason: str) -> None:
    async with open_runtime(service.name, settings) as runtime, runtime.sessions.begin() as session:
        gone = await discard_dead_letter(session, letter_id)
    if gone is None:
        raise SystemExit(f"{service.name} keeps no dead letter {letter_id}.")
    log.warning(
        "dead_letter_discarded",
        dead_letter_id=str(letter_id),
        topic=gone.topic,
        partition=gone.partition,
        offset=gone.offset,
        key=gone.key,
        type=gone.type,
        reason=reason,
    )


async def _run_job(service: Service, settings: ServiceSettings, name: str) -> None:
    job = next(job for job in service.jobs if job.name == name)
    async with open_runtime(service.name, settings) as runtime:
        await run_job_now(runtime, job)
