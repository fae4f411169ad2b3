"""Record one payment: its row and the invoice's, both histories, event and key, against receiving an invoice."""

from __future__ import annotations

from benchmarks.acts import Acts, measured_acts
from benchmarks.measure import Figure, Measured
from benchmarks.parts import Parts


async def measure(parts: Parts) -> Measured:
    """Payments a second; receiving and approving what is paid is not counted."""

    def ours(acts: Acts) -> Figure:
        async def payments() -> float:
            ids, _ = await acts.received()
            await acts.approved(ids)
            return await acts.paid(ids)

        return payments

    return await measured_acts(parts, path="record a payment", reach=0.5, aim=0.7, ours=ours)
