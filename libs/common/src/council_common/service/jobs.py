"""Jobs: what runs so often, at clock times, or when woken. Each is also a command (docs/decisions/0010-jobs.md)."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

import asyncpg
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.sessions import driver_url
from council_common.database.transient_faults import DRIVER_FAULTS
from council_common.errors import Unavailable
from council_common.ids import lock_key
from council_common.observability.logs import get_logger
from council_common.observability.metrics import JOB_RUNS
from council_common.pause import pause
from council_common.runtime.service_runtime import Runtime
from council_common.service import occurrences
from council_common.service.occurrences import OccurrenceOutcome
from council_common.service.schedule import Schedule

log = get_logger()

LOOK_AGAIN = 30.0
"""Seconds after which a worker looks at the clock and the lock again, whatever it waits for."""

JobRun = Callable[[Runtime], Awaitable[bool | None]] | Callable[[Runtime, datetime], Awaitable[bool | None]]


@dataclass(frozen=True)
class Job:
    """A named piece of work. `run` opens its own transactions; True means that more is waiting.

    Of all workers of a service one runs a job at a time (advisory lock). Either it runs `every` so often, and at once
    when `wake_job` names it; or it runs `at` clock times in London (five fields of cron: "0 2 * * *" is 02:00), with
    `working_days` on days on which banks work only. Then each occurrence is run once: those missed while no worker
    ran are caught up, oldest first and 31 at most; one that fails or whose worker dies is begun again, five times at
    most, so that its work must bear to be begun twice. `run` may take a second argument, when it was due (UTC).
    """

    name: str
    run: JobRun
    every: timedelta | None = None
    at: str | None = None
    working_days: bool = False

    def __post_init__(self) -> None:
        if (self.every is None) == (self.at is None):
            raise ValueError(f"The job {self.name} runs either every so often or at clock times.")
        if self.working_days and self.at is None:
            raise ValueError(f"The job {self.name} needs a clock time to run on working days.")
        _ = self.schedule

    @property
    def schedule(self) -> Schedule | None:
        """Its clock times. Raises ValueError where they are none."""
        return None if self.at is None else Schedule(self.at, self.working_days)

    async def run_for(self, runtime: Runtime, due_at: datetime) -> bool:
        """Run it once, as due at a moment; whether more is waiting."""
        run: Callable[..., Awaitable[bool | None]] = self.run
        takes_due_at = len(inspect.signature(run).parameters) > 1
        return bool(await (run(runtime, due_at) if takes_due_at else run(runtime)))


class _Result(Enum):
    MORE = auto()
    DONE = auto()
    FAILED = auto()


async def wake_job(session: AsyncSession, name: str) -> None:
    """Have a job run as soon as this transaction commits."""
    await session.execute(select(func.pg_notify("job", name)))


async def run_job_now(runtime: Runtime, job: Job) -> None:
    """Run a job until nothing waits, as its command does: after a worker that is at it, never beside it."""
    connection = await asyncpg.connect(driver_url(runtime.settings.database_url), timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", lock_key(f"job-{job.name}"))
        due_at = runtime.clock()
        while await job.run_for(runtime, due_at):
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
        except (SQLAlchemyError, *DRIVER_FAULTS) as fault:
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
            seconds = LOOK_AGAIN if job.every is None else job.every.total_seconds()
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock_key(f"job-{job.name}")):
                try:
                    seconds = await _take_turn(runtime, job, seconds)
                finally:
                    await connection.execute("SELECT pg_advisory_unlock($1)", lock_key(f"job-{job.name}"))
            if seconds > 0:
                await pause(stop, seconds, woken=woken)
    finally:
        connection.terminate()


async def _take_turn(runtime: Runtime, job: Job, otherwise: float) -> float:
    """Do what is due; returns the seconds until the next look."""
    if job.schedule is None:
        return 0.0 if await _run_once(runtime, job, runtime.clock()) is _Result.MORE else otherwise
    now = runtime.clock()
    async with runtime.sessions.begin() as session:
        turn = await occurrences.next_turn(session, job.name, job.schedule, now=now)
        if turn.begin_at > now:
            return min((turn.begin_at - now).total_seconds(), otherwise)
        attempt = await occurrences.begin(session, job.name, turn.due_at, at=now)
    if attempt is not None:
        late = round((now - turn.due_at).total_seconds())
        about = {"job": job.name, "due_at": turn.due_at.isoformat(), "late_seconds": late, "attempt": attempt}
        log.info("job_occurrence_begins", **about, given_up=turn.given_up)
        await _run_occurrence(runtime, job, turn.due_at, attempt)
    return 0.0


async def _run_occurrence(runtime: Runtime, job: Job, due_at: datetime, attempt: int) -> None:
    result = await _run_once(runtime, job, due_at)
    async with runtime.sessions.begin() as session:
        if result is _Result.MORE:
            await occurrences.note_progress(session, job.name, due_at)
        elif result is _Result.DONE:
            await occurrences.finish(session, job.name, due_at, OccurrenceOutcome.DONE, at=runtime.clock())
        elif attempt >= occurrences.MOST_ATTEMPTS:
            await occurrences.finish(session, job.name, due_at, OccurrenceOutcome.FAILED, at=runtime.clock())
            log.error("job_occurrence_failed", job=job.name, due_at=due_at.isoformat(), attempts=attempt)


async def _run_once(runtime: Runtime, job: Job, due_at: datetime) -> _Result:
    try:
        more = await job.run_for(runtime, due_at)
    except (SQLAlchemyError, OSError, Unavailable, TimeoutError) as fault:
        JOB_RUNS.labels(job.name, "failed").inc()
        log.warning("job_failed", job=job.name, cause=type(fault).__name__, exc_info=fault)
        return _Result.FAILED
    except Exception as fault:
        JOB_RUNS.labels(job.name, "failed").inc()
        log.error("job_failed", job=job.name, exc_info=fault)
        return _Result.FAILED
    JOB_RUNS.labels(job.name, "done").inc()
    return _Result.MORE if more else _Result.DONE
