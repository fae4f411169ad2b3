"""What long work is: its states, what a slice answers, and how long a fault that passes is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from council_common.errors import Conflict, NotFound, move

MOST_ATTEMPTS = 5
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=5)


class WorkState(StrEnum):
    """Where a piece of long work is; what failed may be resumed, unless it failed for good."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (WorkState.WAITING, WorkState.RUNNING)

NEXT: Mapping[WorkState, frozenset[WorkState]] = {
    WorkState.WAITING: frozenset({WorkState.RUNNING, WorkState.CANCELLED}),
    WorkState.RUNNING: frozenset({WorkState.DONE, WorkState.FAILED, WorkState.CANCELLED}),
    WorkState.DONE: frozenset(),
    WorkState.FAILED: frozenset({WorkState.WAITING, WorkState.CANCELLED}),
    WorkState.CANCELLED: frozenset(),
}


class WorkNotFound(NotFound):
    """Nothing of this kind was ever begun for this resource."""

    code = "long-work-not-found"


class FailedForGood(Conflict):
    """Trying again would not change why the work failed."""

    code = "long-work-failed-for-good"


class WorkFailed(Exception):
    """Raised by a slice for a reason that trying again does not change; `more` joins the error that is shown.

    `can_resume`: it changes when a person has put something right.
    """

    def __init__(self, code: str, detail: str, *, can_resume: bool = False, **more: Any) -> None:
        super().__init__(code)
        self.error: dict[str, Any] = {"code": code, "detail": detail, **more}
        self.can_resume = can_resume


@dataclass(frozen=True, slots=True)
class Progress:
    """What a slice brought its work to: `done` units in all, and where the next slice begins (`cursor`)."""

    done: int
    finished: bool = False
    cursor: str | None = None


def must_move(noun: str, state: WorkState, wanted: WorkState, *, can_resume: bool) -> None:
    """Raise IllegalMove for a state that does not lead to the wanted one, FailedForGood for what cannot go on."""
    move(NEXT, state, wanted, thing=f"The {noun}")
    if state is WorkState.FAILED and not can_resume:
        raise FailedForGood(f"The {noun} failed for good; its error says why.")


def must_advance(done: int, cursor: str | None, progress: Progress) -> None:
    """Raise RuntimeError for a slice that leaves the work where it was: it would be done over and over."""
    if not progress.finished and (progress.done, progress.cursor) == (done, cursor):
        raise RuntimeError("a slice that is not the last moves done or cursor")


def wait_after(waits: int) -> timedelta:
    """How long work that was put off so often before waits for a fault to pass.

    >>> [wait_after(waits).total_seconds() for waits in (0, 1, 2, 20)]
    [5.0, 10.0, 20.0, 300.0]
    """
    return min(FIRST_WAIT * (1 << min(waits, 10)), LONGEST_WAIT)


def broke(noun: str) -> dict[str, str]:
    """The error of work that was taken up too often without a slice committed: it breaks, or kills, its worker."""
    detail = f"The {noun} broke several times at the same place. What it did before stays; it may be resumed."
    return {"code": f"{noun.replace(' ', '-')}-broke", "detail": detail}
