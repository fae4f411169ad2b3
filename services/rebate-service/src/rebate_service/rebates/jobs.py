"""Each night: what was expected and is past its term is lost."""

from __future__ import annotations

from council_common.runtime.service_runtime import Runtime
from council_common.service.jobs import Job

from rebate_service.rebates.store import CHUNK
from rebate_service.rebates.usecases import lose_rebates


async def lose_past_term(runtime: Runtime) -> bool:
    """Note 2,000 rebates as lost; True when more wait."""
    async with runtime.sessions.begin() as session:
        return len(await lose_rebates(session, at=runtime.clock())) == CHUNK


JOBS: tuple[Job, ...] = (Job("lose-rebates", lose_past_term, at="10 0 * * *"),)
