"""Approve one invoice: its row, history, event and key, against receiving one."""

from __future__ import annotations

from benchmarks.acts import Acts, measured_acts
from benchmarks.measure import Figure, Measured
from benchmarks.parts import Parts


async def measure(parts: Parts) -> Measured:
    """Approvals a second; receiving what is approved is not counted."""

    def ours(acts: Acts) -> Figure:
        async def approvals() -> float:
            ids, _ = await acts.received()
            return await acts.approved(ids)

        return approvals

    return await measured_acts(parts, path="approve an invoice", reach=0.7, aim=0.85, ours=ours)
