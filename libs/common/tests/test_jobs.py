import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
from council_common.database.sessions import driver_url
from council_common.database.tables import idempotency_key, inbox
from council_common.events.consumer import Consumer
from council_common.events.handlers import Handlers
from council_common.events.relay import Relay
from council_common.ids import new_id
from council_common.runtime.service_runtime import Runtime, open_runtime
from council_common.runtime.settings import ServiceSettings
from council_common.service.jobs import Job, run_jobs, wake_job
from council_common.service.worker import purge, run_worker
from sqlalchemy import insert
from things_service import NOW, Things


@pytest.fixture
async def runtime(things: Things) -> AsyncIterator[Runtime]:
    settings = ServiceSettings(
        _env_file=None, database_url=things.url, kafka_bootstrap_servers=things.bootstrap, oidc_issuer="https://issuer"
    )
    async with open_runtime(things.name, settings) as made:
        made.clock = lambda: NOW
        yield made


async def test_a_woken_job_runs_at_once_and_goes_on_while_more_waits(runtime: Runtime) -> None:
    runs: list[int] = []

    async def work(_: Runtime) -> bool:
        runs.append(len(runs))
        return len(runs) in {2, 3}  # the woken run says twice that more is waiting

    stop = asyncio.Event()
    task = asyncio.create_task(run_jobs(runtime, (Job("count-things", work, every=timedelta(hours=1)),), stop))
    await _until(lambda: len(runs) == 1)
    async with runtime.sessions.begin() as session:
        await wake_job(session, "another-job")
        await wake_job(session, "count-things")
    await _until(lambda: len(runs) == 4)
    stop.set()
    await task


async def test_two_workers_never_run_a_job_side_by_side(runtime: Runtime) -> None:
    running_now = most = done = 0

    async def work(_: Runtime) -> bool:
        nonlocal running_now, most, done
        running_now += 1
        most = max(most, running_now)
        await asyncio.sleep(0.02)
        running_now -= 1
        done += 1
        return True

    stop = asyncio.Event()
    job = Job("count-things", work, every=timedelta(milliseconds=1))
    tasks = [asyncio.create_task(run_jobs(runtime, (job,), stop)) for _ in range(2)]
    await _until(lambda: done >= 10)
    stop.set()
    await asyncio.gather(*tasks)
    assert most == 1


async def test_a_job_that_fails_runs_again_at_its_next_turn(runtime: Runtime) -> None:
    runs = 0

    async def work(_: Runtime) -> None:
        nonlocal runs
        runs += 1
        raise ValueError("a bad day")

    stop = asyncio.Event()
    job = Job("count-things", work, every=timedelta(milliseconds=10))
    task = asyncio.create_task(run_jobs(runtime, (job,), stop))
    await _until(lambda: runs >= 3)
    stop.set()
    await task


async def test_a_job_outlives_its_connections(runtime: Runtime, things: Things) -> None:
    runs = 0

    async def work(_: Runtime) -> None:
        nonlocal runs
        runs += 1

    stop = asyncio.Event()
    task = asyncio.create_task(run_jobs(runtime, (Job("count-things", work, every=timedelta(milliseconds=1)),), stop))
    killer = await asyncpg.connect(driver_url(things.url))
    for _ in range(3):
        before = runs
        await _until(lambda: runs > before + 3)  # noqa: B023
        await killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    before = runs
    await _until(lambda: runs > before)
    stop.set()
    await task
    await killer.close()


@pytest.mark.parametrize("part", [Relay, Consumer])
async def test_a_part_that_falls_over_takes_the_worker_with_it(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, part: type
) -> None:
    async def falls_over(*_: object) -> None:
        await asyncio.sleep(0.1)
        raise LookupError("a fault of ours")

    monkeypatch.setattr(part, "run", falls_over)
    async with asyncio.timeout(20):
        with pytest.raises(ExceptionGroup) as raised:
            await run_worker(runtime, handlers=Handlers(), jobs=(), stop=asyncio.Event())
    assert isinstance(raised.value.exceptions[0], LookupError)


async def test_marks_and_keys_are_forgotten_after_their_retention(runtime: Runtime, things: Things) -> None:
    async with runtime.sessions.begin() as session:
        for days in (1, 3000):
            at = NOW - timedelta(days=days)
            await session.execute(insert(inbox).values(event_id=new_id(), type="x", handled_at=at))
            await session.execute(
                insert(idempotency_key).values(caller="c", key=str(days), request_hash=b"", created_at=at)
            )
    await purge(runtime)
    assert await things.scalar("SELECT count(*) FROM inbox") == 1
    assert await things.scalar("SELECT count(*) FROM idempotency_key") == 1


async def _until(condition: object) -> None:
    async with asyncio.timeout(20):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)
