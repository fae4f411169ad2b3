"""Payments of a batch earn their rebates each under its own trace."""

from typing import Any

from council_common.contracts.rebates import RebateEarnedV1
from council_common.database.tables import outbox
from council_common.events.envelope import unseal
from council_common.events.handlers import Received
from council_common.ids import new_id
from council_common.testing.harness import Harness
from sqlalchemy import select


async def test_what_each_payment_earned_carries_the_trace_of_that_payment(service: Harness, make_story: Any) -> None:
    stories = [make_story(service) for _ in range(3)]
    await service.deliver(*(story.agreed() for story in stories))
    traces = {story.invoice_id: f"00-{number:032x}-00000000000000aa-01" for number, story in enumerate(stories, 1)}
    paid = [Received(story.paid(), new_id(), service.now, traces[story.invoice_id]) for story in stories]
    async with service.runtime.sessions.begin() as session:
        await service.service.handlers.handle(session, paid)
        payloads = (
            await session.execute(select(outbox.c.payload).where(outbox.c.type == RebateEarnedV1.type))
        ).scalars()
    earned = [unseal(payload, RebateEarnedV1) for payload in payloads]
    assert {envelope.data.invoice_id: envelope.traceparent for envelope in earned} == traces
