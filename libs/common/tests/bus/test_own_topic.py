"""The way up: a higher room of a service reacts to a lower room's event through the service's own topic."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from council_common.events.contract import Event
from council_common.events.handlers import Handlers, Received
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from things_service import NOW, Things, at_work, publish, thing


def _totals(things: Things) -> tuple[Handlers, type[Event]]:
    """A room of totals above the room that counts things, and the event it publishes."""

    class TotalChangedV1(Event, topic=things.topic, producer="things-service", key="thing_id"):
        thing_id: UUID
        number: int

    totals = Handlers()

    @totals.on_many(things.event)
    async def change_totals(session: AsyncSession, received: Sequence[Received[Any]]) -> None:
        counted = [one.event for one in received]
        changes = [
            TotalChangedV1(
                thing_id=event.thing_id, number=event.number, version=event.version, occurred_at=NOW, by=event.by
            )
            for event in counted
        ]
        await publish(session, *changes)

    return totals, TotalChangedV1


async def test_a_higher_room_hears_a_lower_one_through_the_service_s_own_topic(things: Things) -> None:
    totals, total_changed = _totals(things)
    reports = Handlers()

    @reports.on_many(total_changed)
    async def report_totals(session: AsyncSession, received: Sequence[Received[Any]]) -> None:
        await session.execute(
            text("INSERT INTO effect (thing_id, number) VALUES (:thing_id, :number)"),
            [{"thing_id": one.event.thing_id, "number": one.event.number} for one in received],
        )

    async with at_work(things.relay(), things.consumer(Handlers.including(totals, reports), batch=40)):
        await things.publish_many(100, things=5)
        await things.until_effects(100)
    assert await things.effects() == {thing(of): list(range(20)) for of in range(5)}
    assert await things.scalar("SELECT count(*) FROM inbox") == 200  # each event of both rooms once


async def test_a_higher_room_that_fails_leaves_the_lower_one_s_fact_as_it_is(things: Things) -> None:
    totals, total_changed = _totals(things)
    reports = Handlers()

    @reports.on_many(total_changed)
    async def refuse(_: AsyncSession, received: Sequence[Received[Any]]) -> None:
        raise ValueError("not today")

    async with at_work(things.relay(), things.consumer(Handlers.including(totals, reports))):
        await things.count(0, of=1)
        await things.until("SELECT count(*) FROM dead_letter", 1)
    assert await things.scalar("SELECT type FROM dead_letter") == total_changed.type
    assert await things.scalar("SELECT count(*) FROM inbox") == 1
