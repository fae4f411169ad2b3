"""Long work is done slice by slice; whatever happens to its worker, no slice is lost and none is done twice."""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

import pytest
from council_common.database.sessions import driver_url
from council_common.errors import IllegalMove
from council_common.long_work.rules import WorkNotFound, WorkState
from council_common.long_work.schemas import ProgressOut
from council_common.long_work.tables import Work
from council_common.long_work.turns import job_of, take_turn
from council_common.long_work.usecases import cancel_work
from council_common.observability.traces import configure_traces, current_trace_id, span
from council_common.service.jobs import run_jobs
from tallies import NOW, OFFICER, Office, Tally, new_id

PROCESS = Path(__file__).parent / "tallies.py"


async def test_work_waits_runs_and_is_done(office: Office) -> None:
    subject_id = await office.asked(25)
    waiting = ProgressOut.of(office.kind, await office.work(subject_id))
    assert (waiting.state, waiting.done, waiting.total, waiting.share, waiting.unit) == (
        "waiting",
        0,
        25,
        0.0,
        "numbers",
    )
    assert (waiting.requested_by, waiting.requested_by_name, waiting.requested_at) == ("subject-1", "p.jones", NOW)
    assert (waiting.started_at, waiting.per_second, waiting.seconds_left) == (None, None, None)
    assert await office.turn()
    done = ProgressOut.of(office.kind, await office.work(subject_id))
    assert (done.state, done.done, done.share, done.seconds_left) == ("done", 25, 1.0, None)
    assert done.per_second is not None and done.per_second > 0
    assert (done.started_at, done.finished_at, done.error) == (NOW, NOW, None)
    assert await office.counted(subject_id) == list(range(1, 26))
    assert await office.moves(subject_id) == ["done system"]
    assert not await office.turn()


async def test_progress_of_running_work() -> None:
    work = Work(
        subject_id=new_id(), kind="k", turn=1, total=300, requested_by="a", requested_by_name="a", requested_at=NOW
    )
    work.state, work.done, work.worked_seconds = WorkState.RUNNING, 299, 10.0
    assert (work.share, work.per_second, work.seconds_left) == (0.99, 29.9, 1)
    work.total = None
    assert (work.share, work.seconds_left) == (None, None)


async def test_it_begins_as_soon_as_it_is_asked_for(office: Office) -> None:
    stop = asyncio.Event()
    worker = asyncio.create_task(run_jobs(office.runtime, (job_of(office.kind),), stop))
    await asyncio.sleep(0.2)  # the worker has looked once and waits
    async with asyncio.timeout(4):  # the next look by itself comes after five seconds
        subject_id = await office.asked(10)
        while (await office.work(subject_id)).state is not WorkState.DONE:
            await asyncio.sleep(0.01)
    stop.set()
    await worker


async def test_slices_carry_the_trace_of_the_request(office: Office) -> None:
    configure_traces("tallies", endpoint=None)
    with span("request"):
        trace_id = current_trace_id()
        await office.asked(10)
    seen: list[str | None] = []

    async def look(_: Work) -> None:
        seen.append(current_trace_id())

    office.kind.within = look
    await office.turn()
    assert trace_id is not None and seen == [trace_id]


async def test_a_process_killed_in_the_middle_of_a_slice_loses_and_doubles_nothing(office: Office) -> None:
    subject_id = await office.asked(1_500)
    url = driver_url(office.runtime.settings.database_url)
    for _ in range(2):
        before = len(await office.counted(subject_id))
        worker = await asyncio.create_subprocess_exec(sys.executable, str(PROCESS), url)
        try:
            async with asyncio.timeout(60):
                while len(await office.counted(subject_id)) < before + 70:
                    assert worker.returncode is None
                    await asyncio.sleep(0.005)
        finally:
            worker.kill()
            await worker.wait()
    broken = await office.work(subject_id)
    counted = await office.counted(subject_id)
    assert broken.state is WorkState.RUNNING and broken.done == len(counted) == int(broken.cursor or 0) < 1_500
    while await office.turn():
        pass
    assert await office.counted(subject_id) == list(range(1, 1_501))
    assert await office.moves(subject_id) == ["done system"]


async def test_two_workers_that_hold_the_same_work_do_each_slice_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job's lock was lost with its connection, and another worker took the work up in the middle of a slice."""
    monkeypatch.setattr("council_common.long_work.turns.TURN_SECONDS", 0.0001)  # one slice a turn
    subject_id = await office.asked(100)
    in_a_slice, other_has_it = asyncio.Event(), asyncio.Event()

    async def wait_for_the_other(_: Work) -> None:
        in_a_slice.set()
        await other_has_it.wait()

    office.kind.before = wait_for_the_other
    stale = asyncio.create_task(office.turn())
    await in_a_slice.wait()
    assert await take_turn(Tally(), office.runtime)
    other_has_it.set()
    await stale
    assert await office.counted(subject_id) == list(range(1, 11))
    while await office.turn():
        pass
    assert await office.counted(subject_id) == list(range(1, 101))
    assert await office.moves(subject_id) == ["done system"]


async def test_a_short_one_does_not_wait_for_a_long_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("council_common.long_work.turns.TURN_SECONDS", 0.0001)  # one slice a turn
    long, other = await office.asked(10_000), await office.asked(10_000)
    await office.turn()
    short = await office.asked(20)
    turns = 0
    while (await office.work(short)).state is not WorkState.DONE:
        await office.turn()
        turns += 1
    assert turns <= 6
    shares = {len(await office.counted(subject_id)) for subject_id in (long, other)}
    assert shares <= {20, 30}


async def test_cancelled_work_keeps_whole_slices(office: Office) -> None:
    subject_id = await office.asked(1_000)
    cancelling: list[asyncio.Task[Work]] = []

    async def cancel(work: Work) -> None:
        if work.done == 30 and not cancelling:
            cancelling.append(asyncio.create_task(_cancel(office, subject_id)))
            while not await office.lock_is_waited_for():
                await asyncio.sleep(0.01)

    office.kind.within = cancel
    await office.turn()
    cancelled = await cancelling[0]
    assert (cancelled.state, cancelled.finished_at) == (WorkState.CANCELLED, NOW)
    # It waited for the slice under way; another may have begun before it came to its turn.
    assert 40 <= cancelled.done < 1_000 and cancelled.done % 10 == 0
    assert not await office.turn()
    assert await office.counted(subject_id) == list(range(1, cancelled.done + 1))
    assert await office.moves(subject_id) == ["cancelled subject-1 wrong month"]
    with pytest.raises(IllegalMove, match="The tally is cancelled already"):
        await _cancel(office, subject_id)


async def test_what_was_cancelled_before_its_turn_is_never_begun(office: Office) -> None:
    subject_id = await office.asked(10)
    await _cancel(office, subject_id)
    assert not await office.turn()
    assert (await office.work(subject_id)).started_at is None
    with pytest.raises(WorkNotFound):
        await _cancel(office, new_id())


async def _cancel(office: Office, subject_id: UUID) -> Work:
    async with office.runtime.sessions.begin() as session:
        return await cancel_work(session, office.kind, subject_id, by=OFFICER, at=office.now, note="wrong month")
