"""The job of a kind of long work: a few seconds for whichever has waited longest, slice by slice, over and over.

A slice is one transaction, so that a worker that is killed loses nothing and doubles nothing: the worker that takes
the work up next begins behind the last slice that was committed.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.transient_faults import is_transient
from council_common.long_work import store
from council_common.long_work.kind import WorkKind
from council_common.long_work.rules import MOST_ATTEMPTS, OPEN, WorkFailed, WorkState, broke, must_advance, wait_after
from council_common.long_work.tables import Work
from council_common.long_work.usecases import fail_work, finish_work
from council_common.observability.logs import get_logger
from council_common.observability.metrics import LONG_WORK, LONG_WORK_AGE
from council_common.observability.traces import span
from council_common.runtime.service_runtime import Runtime
from council_common.service.jobs import Job

log = get_logger()

TURN_SECONDS = 3.0


def job_of(kind: WorkKind) -> Job:
    """The job that does a kind of work: woken when some is asked for, and looking for what was left or put off."""
    return Job(kind.name, partial(take_turn, kind), every=timedelta(seconds=5))


async def take_turn(kind: WorkKind, runtime: Runtime) -> bool:
    """Work for a few seconds on what has waited longest for a turn; True means that there may be more."""
    work = await _taken(kind, runtime)
    if work is None:
        await kind.rest()
        return False
    # Looked at before the work: work that kills its worker leaves none to look at it afterwards.
    if work.attempts > MOST_ATTEMPTS:
        await _fail(kind, runtime, work, broke(kind.noun), can_resume=True)
        return True
    try:
        with span(kind.name, parent={"traceparent": work.traceparent} if work.traceparent else None):
            await _do_slices(kind, runtime, work)
    except WorkFailed as failed:
        await _fail(kind, runtime, work, failed.error, can_resume=failed.can_resume)
    except Exception as fault:
        await _note_fault(runtime, work, fault)
    except BaseException:
        await kind.rest()
        raise
    return True


async def _taken(kind: WorkKind, runtime: Runtime) -> Work | None:
    now = runtime.clock()
    async with runtime.sessions.begin() as session:
        await _measure(session, kind, now)
        work = await store.next_turn(session, kind.name, at=now)
        if work is not None:
            work.state, work.turn = WorkState.RUNNING, await store.behind_all(session, kind.name)
            work.started_at, work.not_before = work.started_at or now, None
            work.attempts += 1
    return work


async def _do_slices(kind: WorkKind, runtime: Runtime, taken: Work) -> None:
    until = time.monotonic() + TURN_SECONDS
    while (began := time.monotonic()) < until:
        prepared = await kind.prepare(runtime, taken)
        async with runtime.sessions.begin() as session:
            work = await store.still_mine(session, taken)
            if work is None:
                return
            progress = await kind.do_slice(session, work, prepared, now=runtime.clock())
            must_advance(work.done, work.cursor, progress)
            work.done, work.cursor, work.attempts, work.waits = progress.done, progress.cursor, 0, 0
            work.worked_seconds += time.monotonic() - began
            if progress.finished:
                await finish_work(session, kind, work, at=runtime.clock())
        taken = work
        if progress.finished:
            log.info("long_work_done", kind=kind.name, subject_id=str(work.subject_id), done=work.done)
            return


async def _fail(kind: WorkKind, runtime: Runtime, taken: Work, error: dict[str, Any], *, can_resume: bool) -> None:
    async with runtime.sessions.begin() as session:
        work = await store.still_mine(session, taken)
        if work is not None:
            await fail_work(session, kind, work, error, can_resume=can_resume, at=runtime.clock())
    log.warning("long_work_failed", kind=kind.name, subject_id=str(taken.subject_id), code=error["code"])


async def _note_fault(runtime: Runtime, taken: Work, fault: Exception) -> None:
    """A fault that passes puts the work off; any other was an attempt. Either way the others have their turns first."""
    about = {"kind": taken.kind, "subject_id": str(taken.subject_id), "cause": type(fault).__name__}
    if not is_transient(fault):
        log.error("long_work_broke", **about, attempts=taken.attempts, exc_info=fault)
        return
    log.warning("long_work_waits", **about, waits=taken.waits + 1)
    try:
        async with runtime.sessions.begin() as session:
            work = await store.still_mine(session, taken)
            if work is not None:
                work.not_before = runtime.clock() + wait_after(work.waits)
                work.attempts, work.waits = max(0, work.attempts - 1), work.waits + 1
    except Exception as unnoted:
        # What failed may be the database itself: then the attempt counts, and the others have their turns.
        log.warning("long_work_fault_not_noted", **about | {"cause": type(unnoted).__name__})


async def _measure(session: AsyncSession, kind: WorkKind, now: datetime) -> None:
    found = await store.open_work(session, kind.name)
    for state in OPEN:
        LONG_WORK.labels(kind.name, state).set(found[state][0] if state in found else 0)
    oldest = min((requested_at for _, requested_at in found.values()), default=now)
    LONG_WORK_AGE.labels(kind.name).set((now - oldest).total_seconds())
