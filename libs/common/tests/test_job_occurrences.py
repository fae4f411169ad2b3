"""Jobs at clock times, on the real database: each occurrence once, what was missed caught up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from council_common.database.tables import job_occurrence
from council_common.runtime.service_runtime import Runtime, open_runtime
from council_common.runtime.settings import ServiceSettings
from council_common.service import occurrences
from council_common.service.jobs import Job, run_job_now, run_jobs, wake_job
from council_common.service.worker import purge
from sqlalchemy import insert, select
from things_service import Things

BEGAN = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)


class Office:
    """A runtime whose clock the test sets; moving it on has the workers look."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.now = BEGAN
        runtime.clock = lambda: self.now

    async def move_to(self, moment: datetime) -> None:
        self.now = moment
        async with self.runtime.sessions.begin() as session:
            await wake_job(session, "count-things")

    async def rows(self) -> list[tuple[str, str | None, int]]:
        """Day, outcome and attempts of each occurrence, oldest first."""
        async with self.runtime.sessions() as session:
            found = await session.execute(select(job_occurrence).order_by(job_occurrence.c.due_at))
        return [(f"{row.due_at:%d %H:%M}", row.outcome, row.attempts) for row in found]

    async def until(self, *rows: tuple[str, str | None, int]) -> None:
        """Wait until these are the occurrences (the first row says when the job was first seen)."""
        seen: Any = None
        try:
            async with asyncio.timeout(20):
                while (seen := await self.rows()) != [("11 09:30", "registered", 0), *rows]:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(seen) from None


@pytest.fixture
async def office(things: Things) -> AsyncIterator[Office]:
    settings = ServiceSettings(
        _env_file=None, database_url=things.url, kafka_bootstrap_servers=things.bootstrap, oidc_issuer="https://issuer"
    )
    async with open_runtime(things.name, settings) as runtime:
        yield Office(runtime)


@asynccontextmanager
async def _workers(office: Office, job: Job, *, count: int = 1) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(run_jobs(office.runtime, (job,), stop)) for _ in range(count)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def test_two_workers_run_an_occurrence_once_and_not_before_it_is_due(office: Office) -> None:
    due: list[datetime] = []

    async def work(_: Runtime, due_at: datetime) -> None:
        due.append(due_at)
        await asyncio.sleep(0.05)

    async with _workers(office, Job("count-things", work, at="0 2 * * *"), count=2):
        await office.until()  # seen for the first time: 02:00 of that day is not caught up
        await office.move_to(datetime(2026, 3, 12, 1, 59, 59, tzinfo=UTC))
        await asyncio.sleep(0.2)
        assert due == []
        await office.move_to(datetime(2026, 3, 12, 2, 0, tzinfo=UTC))
        await office.until(("12 02:00", "done", 1))
    assert due == [datetime(2026, 3, 12, 2, tzinfo=UTC)]


async def test_what_was_missed_is_caught_up_once_each_oldest_first(office: Office) -> None:
    due: list[str] = []

    async def work(_: Runtime, due_at: datetime) -> None:
        due.append(due_at.date().isoformat())

    job = Job("count-things", work, at="0 8 * * *", working_days=True)
    async with _workers(office, job):
        await office.until()
    office.now = datetime(2026, 3, 17, 12, tzinfo=UTC)  # away from Wednesday to Tuesday
    async with _workers(office, job, count=2):
        await office.until(
            ("12 08:00", "done", 1), ("13 08:00", "done", 1), ("16 08:00", "done", 1), ("17 08:00", "done", 1)
        )
    assert due == ["2026-03-12", "2026-03-13", "2026-03-16", "2026-03-17"]


async def test_one_that_fails_is_tried_again_later_and_given_up_after_five_times(office: Office) -> None:
    attempts = 0

    async def work(_: Runtime) -> None:
        nonlocal attempts
        attempts += 1
        raise ValueError("a bad day")

    async with _workers(office, Job("count-things", work, at="0 2 * * *")):
        await office.until()
        await office.move_to(datetime(2026, 3, 12, 2, 0, tzinfo=UTC))
        for attempt in range(1, occurrences.MOST_ATTEMPTS):
            await office.until(("12 02:00", None, attempt))
            await office.move_to(office.now + timedelta(minutes=2 ** (attempt - 1), seconds=-1))
            await asyncio.sleep(0.1)
            assert attempts == attempt
            await office.move_to(office.now + timedelta(seconds=1))
        await office.until(("12 02:00", "failed", 5))
        await office.move_to(datetime(2026, 3, 13, 2, 0, tzinfo=UTC))
        await office.until(("12 02:00", "failed", 5), ("13 02:00", None, 1))


async def test_one_whose_worker_died_is_begun_again(office: Office) -> None:
    due: list[datetime] = []

    async def work(_: Runtime, due_at: datetime) -> None:
        due.append(due_at)

    due_at = datetime(2026, 3, 12, 2, tzinfo=UTC)
    async with _workers(office, Job("count-things", work, at="0 2 * * *")):
        await office.until()
    async with office.runtime.sessions.begin() as session:
        await occurrences.begin(session, "count-things", due_at, at=due_at)  # and killed here
    office.now = due_at + timedelta(minutes=2)
    async with _workers(office, Job("count-things", work, at="0 2 * * *")):
        await office.until(("12 02:00", "done", 2))
    assert due == [due_at]


async def test_one_that_has_more_to_do_goes_on_and_counts_once(office: Office) -> None:
    runs = 0

    async def work(_: Runtime) -> bool:
        nonlocal runs
        runs += 1
        return runs < 10

    async with _workers(office, Job("count-things", work, at="0 2 * * *")):
        await office.until()
        await office.move_to(datetime(2026, 3, 12, 2, 0, tzinfo=UTC))
        await office.until(("12 02:00", "done", 1))
    assert runs == 10


async def test_the_command_runs_it_now_beside_its_occurrences(office: Office) -> None:
    due: list[datetime] = []

    async def work(_: Runtime, due_at: datetime) -> bool:
        due.append(due_at)
        return len(due) < 2

    await run_job_now(office.runtime, Job("count-things", work, at="0 2 * * *"))
    assert due == [BEGAN, BEGAN]
    assert await office.rows() == []


async def test_old_occurrences_are_forgotten_and_the_newest_of_a_job_stays(office: Office) -> None:
    async with office.runtime.sessions.begin() as session:
        for job, days in (("a", 500), ("a", 450), ("b", 500), ("b", 3)):
            at = BEGAN - timedelta(days=days)
            values = {"job": job, "due_at": at, "begun_at": at, "attempts": 1, "finished_at": at, "outcome": "done"}
            await session.execute(insert(job_occurrence).values(values))
    await purge(office.runtime)
    async with office.runtime.sessions() as session:
        kept = (await session.execute(select(job_occurrence.c.job, job_occurrence.c.due_at))).all()
    assert sorted((job, (BEGAN - due_at).days) for job, due_at in kept) == [("a", 450), ("b", 3)]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"every": timedelta(hours=1), "at": "0 2 * * *"},
        {"every": timedelta(hours=1), "working_days": True},
        {"at": "at two"},
    ],
)
def test_a_job_says_when_it_runs(wrong: dict[str, Any]) -> None:
    async def work(_: Runtime) -> None: ...

    with pytest.raises(ValueError, match=r"runs either|needs a clock time|is not a time"):
        Job("count-things", work, **wrong)
