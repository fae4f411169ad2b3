"""Faults that pass put work off, others are counted, and what failed may be resumed by a person."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from council_common.errors import IllegalMove, Unavailable
from council_common.long_work.rules import MOST_ATTEMPTS, FailedForGood, WorkFailed, WorkState
from council_common.long_work.store import state_of, works_of
from council_common.long_work.tables import Work
from council_common.long_work.turns import take_turn
from council_common.long_work.usecases import cancel_work, resume_work
from prometheus_client import REGISTRY
from sqlalchemy import literal, select, text
from tallies import OFFICER, Office, Tally


async def _always_breaks(_: Work) -> None:
    raise ValueError("a fault of ours")


async def _away(_: Work) -> None:
    raise Unavailable("supplier-service is away.")


async def _resumed(office: Office, subject_id: UUID) -> Work:
    async with office.runtime.sessions.begin() as session:
        return await resume_work(session, office.kind, subject_id, by=OFFICER, at=office.now, note="corrected")


async def test_a_fault_that_passes_puts_work_off_and_lets_others_pass(office: Office) -> None:
    waits = await office.asked(10)
    office.kind.before = _away
    await office.turn()
    put_off = await office.work(waits)
    assert (put_off.state, put_off.attempts, put_off.waits) == (WorkState.RUNNING, 0, 1)
    assert put_off.not_before == office.now + timedelta(seconds=5)
    office.kind.before = None
    passes = await office.asked(10)
    while await office.turn():
        pass
    assert (await office.work(passes)).state is WorkState.DONE
    assert (await office.work(waits)).done == 0
    office.now += timedelta(seconds=5)
    await office.turn()
    done = await office.work(waits)
    assert (done.state, done.waits, done.not_before) == (WorkState.DONE, 0, None)


async def test_waiting_is_never_an_attempt(office: Office) -> None:
    subject_id = await office.asked(10)
    office.kind.before = _away
    for _ in range(2 * MOST_ATTEMPTS):
        await office.turn()
        office.now += timedelta(minutes=5)
    work = await office.work(subject_id)
    assert (work.state, work.attempts, work.waits) == (WorkState.RUNNING, 0, 2 * MOST_ATTEMPTS)


async def test_a_fault_that_cannot_even_be_noted_was_an_attempt(office: Office) -> None:
    """The job goes on with the others: what the noting raises is logged and no more."""
    subject_id = await office.asked(10)
    clock = office.runtime.clock

    async def away_and_time_stops(_: Work) -> None:
        office.runtime.clock = lambda: 1 / 0  # type: ignore[assignment,return-value]
        raise Unavailable("supplier-service is away.")

    office.kind.before = away_and_time_stops
    assert await office.turn()
    office.runtime.clock = clock
    work = await office.work(subject_id)
    assert (work.attempts, work.waits) == (1, 0)


async def test_work_that_always_breaks_fails_in_words_and_is_resumed(office: Office) -> None:
    subject_id = await office.asked(30)

    async def breaks_after_a_slice(work: Work) -> None:
        if work.done == 10:
            raise ValueError("a fault of ours")

    office.kind.before = breaks_after_a_slice
    for _ in range(MOST_ATTEMPTS + 2):
        await office.turn()
    failed = await office.work(subject_id)
    assert (failed.state, failed.done, failed.can_resume, failed.finished_at) == (
        WorkState.FAILED, 10, True, office.now,
    )  # fmt: skip
    assert failed.error == {
        "code": "tally-broke",
        "detail": "The tally broke several times at the same place. What it did before stays; it may be resumed.",
    }
    assert not await office.turn()
    office.kind.before = None
    resumed = await _resumed(office, subject_id)
    assert (resumed.state, resumed.attempts, resumed.error, resumed.finished_at) == (WorkState.WAITING, 0, None, None)
    with pytest.raises(IllegalMove):
        await _resumed(office, subject_id)
    await office.turn()
    assert await office.counted(subject_id) == list(range(1, 31))
    assert await office.moves(subject_id) == ["failed system tally-broke", "waiting subject-1 corrected", "done system"]


async def test_work_that_kills_its_workers_is_given_up(office: Office) -> None:
    """None of them lives to say so: it is found to have been taken up too often."""
    subject_id = await office.asked(10)
    at_work = asyncio.Event()

    async def never_ends(_: Work) -> None:
        at_work.set()
        await asyncio.sleep(60)

    office.kind.before = never_ends
    for _ in range(MOST_ATTEMPTS):
        at_work.clear()
        killed = asyncio.create_task(office.turn())
        await at_work.wait()
        killed.cancel()
        with pytest.raises(asyncio.CancelledError):
            await killed
    office.kind.before = None
    await office.turn()
    failed = await office.work(subject_id)
    assert (failed.state, failed.can_resume) == (WorkState.FAILED, True)
    assert await office.counted(subject_id) == []


@pytest.mark.parametrize("place", ["before", "within"])
async def test_what_fails_for_good_is_neither_resumed_nor_cancelled(office: Office, place: str) -> None:
    subject_id = await office.asked(10)

    async def unreadable(_: Work) -> None:
        raise WorkFailed("not-a-tally", "This is no tally.", expected="a tally")

    setattr(office.kind, place, unreadable)
    await office.turn()
    failed = await office.work(subject_id)
    assert failed.error == {"code": "not-a-tally", "detail": "This is no tally.", "expected": "a tally"}
    assert await office.counted(subject_id) == []
    with pytest.raises(FailedForGood):
        await _resumed(office, subject_id)
    with pytest.raises(FailedForGood):
        async with office.runtime.sessions.begin() as session:
            await cancel_work(session, office.kind, subject_id, by=OFFICER, at=office.now, note=None)
    assert await office.moves(subject_id) == ["failed system not-a-tally"]


async def test_failed_work_that_may_be_resumed_may_be_cancelled_instead(office: Office) -> None:
    subject_id = await office.asked(10)
    office.kind.before = _always_breaks
    for _ in range(MOST_ATTEMPTS + 1):
        await office.turn()
    async with office.runtime.sessions.begin() as session:
        await cancel_work(session, office.kind, subject_id, by=OFFICER, at=office.now, note=None)
    assert await office.moves(subject_id) == ["failed system tally-broke", "cancelled subject-1"]


async def test_a_worker_that_slept_through_failure_and_resumption_has_lost_its_turn(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it prepared was for a slice that others have done meanwhile."""
    monkeypatch.setattr("council_common.long_work.turns.TURN_SECONDS", 0.0001)  # one slice a turn
    subject_id = await office.asked(30)
    asleep, wakes = asyncio.Event(), asyncio.Event()

    async def sleep_once(_: Work) -> None:
        asleep.set()
        await wakes.wait()

    sleeper = Tally(slice_size=7)
    sleeper.before = sleep_once
    sleeping = asyncio.create_task(take_turn(sleeper, office.runtime))
    await asleep.wait()
    office.kind.before = _always_breaks
    while (await office.work(subject_id)).state is WorkState.RUNNING:
        await office.turn()
    await _resumed(office, subject_id)
    office.kind.before = None
    await office.turn()
    wakes.set()
    await sleeping
    assert await office.counted(subject_id) == list(range(1, 11))
    while await office.turn():
        pass
    assert await office.counted(subject_id) == list(range(1, 31))


async def test_open_work_is_measured_and_found_by_state(office: Office) -> None:
    first, second = await office.asked(10), await office.asked(10)
    office.now += timedelta(minutes=2)
    office.kind.before = _away
    await office.turn()
    await office.turn()
    kind = {"kind": office.kind.name}
    assert REGISTRY.get_sample_value("council_long_work", kind | {"state": "waiting"}) == 1
    assert REGISTRY.get_sample_value("council_long_work", kind | {"state": "running"}) == 1
    assert REGISTRY.get_sample_value("council_long_work_oldest_seconds", kind) == 120
    async with office.runtime.sessions() as session:
        works = await works_of(session, office.kind.name, [first, second])
        assert await session.scalar(select(state_of(office.kind.name, literal(first)))) is WorkState.RUNNING
        assert await session.scalar(select(state_of("another-kind", literal(first)))) is None
        plan = await session.scalars(
            text(
                "EXPLAIN SELECT * FROM long_work WHERE kind = 'k' AND state IN ('waiting', 'running')"
                " ORDER BY turn LIMIT 1"
            )
        )
        assert any("ix_long_work_open" in line for line in plan)
    assert {work.state for work in works.values()} == {WorkState.RUNNING}
    assert set(works) == {first, second}


async def test_a_slice_that_moves_nothing_is_a_fault_and_not_done_for_ever(office: Office) -> None:
    subject_id = await office.asked(10)
    office.kind.stands_still = True
    for _ in range(MOST_ATTEMPTS + 1):
        await office.turn()
    failed = await office.work(subject_id)
    assert (failed.state, failed.done, await office.counted(subject_id)) == (WorkState.FAILED, 0, [])
