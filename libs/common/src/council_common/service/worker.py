"""The worker of a service: consumer, relay and jobs in one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from council_common.events.consumer import Consumer
from council_common.events.handlers import Handlers
from council_common.events.inbox import purge_marks
from council_common.events.relay import Relay
from council_common.runtime.service_runtime import Runtime
from council_common.service.jobs import Job, run_jobs
from council_common.service.occurrences import purge_occurrences
from council_common.web.idempotency import purge_keys

KEEP_OCCURRENCES = timedelta(days=400)


async def purge(runtime: Runtime) -> None:
    """Forget inbox marks, idempotency keys and occurrences of jobs after their retention."""
    now = runtime.clock()
    async with runtime.sessions.begin() as session:
        await purge_marks(session, before=now - timedelta(days=runtime.settings.keep_inbox_days))
        await purge_keys(session, before=now - timedelta(days=runtime.settings.keep_idempotency_keys_days))
        await purge_occurrences(session, before=now - KEEP_OCCURRENCES)


PURGE = Job("purge", purge, every=timedelta(hours=1))


async def run_worker(
    runtime: Runtime,
    *,
    handlers: Handlers,
    jobs: tuple[Job, ...],
    stop: asyncio.Event,
    is_away: Callable[[], bool] = lambda: False,
) -> None:
    """Work until `stop` is set. A part that falls over takes the worker with it: its supervisor restarts it."""
    settings = runtime.settings
    relay = Relay(
        database_url=settings.database_url,
        bootstrap_servers=settings.kafka_bootstrap_servers,
        security=settings.kafka_security,
        service=runtime.name,
        is_away=is_away,
    )
    consumer = Consumer(
        service=runtime.name,
        bootstrap_servers=settings.kafka_bootstrap_servers,
        security=settings.kafka_security,
        sessions=runtime.sessions,
        handlers=handlers,
        clock=runtime.clock,
        is_away=is_away,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(relay.run(stop))
        group.create_task(consumer.run(stop))
        group.create_task(run_jobs(runtime, (*jobs, PURGE), stop))
