"""Jobs: what runs by the calendar or when woken. Each is also a command."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.sessions import driver_url
from council_common.errors import Unavailable
from council_common.ids import lock_key
from council_common.observability.logs import get_logger
from council_common.observability.metrics import JOB_RUNS
from council_common.pause import pause
from council_common.runtime.service_runtime import Runtime

log = get_logger()

JobRun = Callable[[Runtime], Awaitable[bool | None]]


@dataclass(frozen=True)
class Job:
    """A named piece of work. `run` opens its own transactions; True means that more is waiting.

    Of all workers of a service one runs a job at a time (advisory lock). It runs `every` so often, and at once
    when `wake_job` names it.
    """

    name: str
    run: JobRun
    every: timedelta


async def wake_job(session: AsyncSession, name: str) -> None:
    """Have a job run as soon as this transaction commits."""
    await session.execute(text("SELECT pg_notify('job', :name)"), {"name": name})


async def run_job_now(runtime: Runtime, job: Job) -> None:
    """Run a job until nothing waits, as its command does: after a worker that is at it, never beside it."""
    connection = await asyncpg.connect(driver_url(runtime.settings.database_url), timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", lock_key(f"job-{job.name}"))
        while await job.run(runtime):
            pass
    finally:
        await connection.close()


async def run_jobs(runtime: Runtime, jobs: tuple[Job, ...], stop: asyncio.Event) -> None:
    """Run jobs until stopped; one that fails is logged and runs again at its next turn."""
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(_keep_running(runtime, job, stop))


async def _keep_running(runtime: Runtime, job: Job, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await _run_on_own_connection(runtime, job, stop)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
            log.warning("job_waits", job=job.name, cause=type(fault).__name__)
            await pause(stop, 1.0)


async def _run_on_own_connection(runtime: Runtime, job: Job, stop: asyncio.Event) -> None:
    woken = asyncio.Event()

    def wake(*notification: Any) -> None:
        if notification[3] == job.name:
            woken.set()

    connection = await asyncpg.connect(driver_url(runtime.settings.database_url), timeout=10)
    try:
        await connection.add_listener("job", wake)
        while not stop.is_set():
            woken.clear()
            more = False
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock_key(f"job-{job.name}")):
                try:
                    more = await _run_once(runtime, job)
                finally:
                    await connection.execute("SELECT pg_advisory_unlock($1)", lock_key(f"job-{job.name}"))
            if not more:
                await pause(stop, job.every.total_seconds(), woken=woken)
    finally:
        connection.terminate()


async def _run_once(runtime: Runtime, job: Job) -> bool:
    try:
        more = bool(await job.run(runtime))
    except (SQLAlchemyError, OSError, Unavailable, TimeoutError) as fault:
        JOB_RUNS.labels(job.name, "failed").inc()
        log.warning("job_failed", job=job.name, cause=type(fault).__name__, exc_info=fault)
        return False
    except Exception as fault:
        JOB_RUNS.labels(job.name, "failed").inc()
        log.error("job_failed", job=job.name, exc_info=fault)
        return False
    JOB_RUNS.labels(job.name, "done").inc()
    return more
