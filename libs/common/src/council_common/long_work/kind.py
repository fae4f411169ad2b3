"""What a room writes of its long work: one slice, and its part when the work comes to another state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from council_common.identity.actor import Actor
from council_common.long_work.rules import Progress
from council_common.long_work.tables import Work
from council_common.runtime.service_runtime import Runtime


class WorkKind(ABC):
    """One kind of long work. `name` is that of its job and its command too; `unit` is what its progress counts.

    Locks are taken in one order by slices and by people: the work's row, the resource's, then all others'.
    """

    name: ClassVar[str]
    noun: ClassVar[str]
    unit: ClassVar[str]

    async def prepare(self, runtime: Runtime, work: Work) -> Any:
        """What the next slice needs from outside its transaction: a file, another service. Raises WorkFailed."""
        del runtime, work

    async def rest(self) -> None:  # noqa: B027 most kinds keep nothing open
        """Let go of what was kept open between slices: nothing waits, or the process ends."""

    @abstractmethod
    async def do_slice(self, session: AsyncSession, work: Work, prepared: Any, *, now: datetime) -> Progress:
        """Do a piece of about a second; effect and progress are committed together. Raises WorkFailed."""

    @abstractmethod
    async def moved(self, session: AsyncSession, work: Work, *, by: Actor, at: datetime, note: str | None) -> None:
        """The room's part when work is done, failed, cancelled or waits anew, in the same transaction.

        The resource's own status, its history (with the `note` of the person who did it) and events, and what a
        cancellation keeps or undoes.
        """
