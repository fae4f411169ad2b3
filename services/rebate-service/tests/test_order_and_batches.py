"""The order between topics does not matter, redelivery does nothing, a batch does what one by one does."""

from __future__ import annotations

import asyncio
import itertools
from datetime import date
from typing import Any

import pytest
from council_common.contracts.rebates import RebateEarnedV1
from council_common.database.tables import outbox
from council_common.events.handlers import Received
from council_common.ids import new_id
from council_common.testing.harness import Harness
from rebate_service.main import SERVICE
from rebate_service.rebate_variances.jobs import JOBS
from rebate_service.rebates.tables import Rebate
from sqlalchemy import func, select, text
from sqlmodel import col

OF_ONE_STORY = {"id", "version", "agreement_id", "agreement_version", "supplier_id", "invoice_id"}
FIRST, SECOND, THIRD = new_id(), new_id(), new_id()


async def state(story: Any) -> list[Any]:
    # A payment that came back before the agreement arrived had earned nothing: it stays outside.
    rows = [
        {name: row[name] for name in row if name not in OF_ONE_STORY}
        for row in await story.rebates()
        if row["status"] != "reversed"
    ]
    variances = [
        (row["invoice_number"], row["cause"], row["difference_pence"]) for row in await story.variances(status="open")
    ]
    return [sorted(rows, key=str), sorted(variances)]


async def state_after(story: Any, share: Any, order: tuple[int, ...]) -> list[Any]:
    """A supplier's two facts at the places `order` among an invoice's five."""
    part = story.paid(day=5, deducted=800, settled=False, payment_id=FIRST, vat_shares=[share(60_000)])
    rest = story.paid(day=12, deducted=360, payment_id=SECOND, vat_shares=[share(40_000)])
    again = story.paid(day=20, deducted=240, payment_id=THIRD, vat_shares=[share(40_000)])
    of_invoice = [story.received(), part, rest, story.returned(rest), again]
    of_supplier = [story.agreed(), story.agreed(effective_from=date(2026, 3, 2), reference_rate_percent="1.10")]
    places = set(order)
    for place in range(len(of_invoice) + len(of_supplier)):
        event = of_supplier.pop(0) if place in places else of_invoice.pop(0)
        await story.happens(event)
    return await state(story)


async def test_topics_may_come_in_any_order(story: Any, share: Any) -> None:
    states = []
    for order in itertools.combinations(range(7), 2):
        story.supplier_id, story.invoice_id = new_id(), new_id()
        states.append(await state_after(story, share, order))
    assert all(other == states[0] for other in states)
    [rows, variances] = states[0]
    # Under 1.10 %: £600.00 on day 5 earns £8.25 + £1.65, £400.00 on day 20 £2.20 + £0.44.
    assert sorted(row["rebate_pence"] for row in rows if row["status"] == "earned") == [264, 990]
    assert variances == [("INV-1", "under_deducted", -190), ("INV-1", "under_deducted", -24)]


async def test_redelivery_does_nothing(story: Any) -> None:
    paid = story.paid(day=10, deducted=1_000)
    events = [story.agreed(), story.received(), paid, story.returned(paid)]
    await story.happens(*events)
    before, published = await state(story), len(await story.service.published())
    for event in events:
        await story.happens(event)
    await story.happens(*events)
    assert await state(story) == before
    assert len(await story.service.published()) == published


@pytest.mark.parametrize("expected_first", [True, False])
async def test_a_batch_of_2000_is_2000_events(story: Any, expected_first: bool) -> None:
    """Once together, once one by one, with another supplier's ids: the same rows and as many events."""
    outcomes = []
    for size in (2_000, 1):
        story.supplier_id = new_id()
        await story.happens(story.agreed())
        received, paid = [], []
        for number in range(2_000 if size > 1 else 80):
            invoice_id = new_id()
            received.append(story.received(invoice_id=invoice_id, number=f"INV-{number}"))
            paid.append(
                story.paid(day=number % 40, deducted=number % 3 * 600, invoice_id=invoice_id, number=f"INV-{number}")
            )
        for events in (received if expected_first else []), paid:
            for start in range(0, len(events), size):
                await story.service.deliver(*events[start : start + size])
        outcomes.append(await _by_number(story, 80))
    assert outcomes[0] == outcomes[1]
    earned = await story.service.published(RebateEarnedV1)
    assert len({event.rebate_id for event in earned}) == len(earned) == (2_000 + 80) * 30 // 40


async def _by_number(story: Any, first: int) -> list[Any]:
    async with story.service.runtime.sessions() as session:
        rows = await session.execute(
            select(Rebate)
            .where(col(Rebate.supplier_id) == story.supplier_id)
            .order_by(func.length(col(Rebate.invoice_number)), col(Rebate.invoice_number))
            .limit(first)
        )
    return [
        (row.invoice_number, row.status, row.rebate_pence, row.variance_pence, row.variance_cause, row.rate_percent)
        for row in rows.scalars()
    ]


async def test_an_agreement_that_arrives_while_payments_are_handled_misses_none(
    racing_service: Harness, make_story: Any, a_session_waits: Any
) -> None:
    """The job waits for transactions that decided without seeing the agreement."""
    story = make_story(racing_service)
    sessions = racing_service.runtime.sessions
    async with sessions() as slow:
        await slow.begin()
        await SERVICE.handlers.handle(slow, [Received(story.paid(deducted=1_200), new_id(), racing_service.now)])
        await racing_service.deliver(story.agreed())
        job = asyncio.create_task(racing_service.run_job(JOBS[0]))
        await a_session_waits(racing_service)
        assert not job.done()
        await slow.commit()
        await job
    assert [rebate["status"] for rebate in await story.rebates()] == ["earned"]
    async with sessions() as session:
        count = await session.scalar(select(func.count()).select_from(outbox))
    assert count == len(await racing_service.published())


async def test_the_job_never_holds_rebates_and_waits_for_the_agreement(
    racing_service: Harness, make_story: Any, a_session_waits: Any
) -> None:
    """A batch of the consumer may hold an agreement and wait for rebates: no transaction may go the other way."""
    story = make_story(racing_service)
    await story.service.deliver(story.received())
    await story.service.deliver(story.agreed())
    async with racing_service.runtime.sessions() as session, session.begin():
        await session.execute(text("SELECT FROM agreement FOR UPDATE"))
        job = asyncio.create_task(racing_service.run_job(JOBS[0]))
        await a_session_waits(racing_service)
        await session.execute(text("SELECT FROM rebate FOR UPDATE NOWAIT"))
    await job
    assert [rebate["status"] for rebate in await story.rebates()] == ["expected"]
