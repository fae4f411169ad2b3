import asyncio
from typing import Any

from aiokafka import TopicPartition
from council_common.events.broker_records import Record
from council_common.events.outbox import outbox_rows
from council_common.testing.broker_records import record_of
from things_service import Things, thing


class _Batches:
    """Batches of records in memory; knows which were given and how far they were committed."""

    def __init__(self, things: Things, *batches: list[int]) -> None:
        self._batches = batches
        self._rows = outbox_rows(things.an_event(number, of=0) for number in range(4))
        self._place = TopicPartition(things.topic, 0)
        self.committed: list[int] = []
        self.given = [asyncio.Event() for _ in batches]

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Record]]:
        for batch, given in zip(self._batches, self.given, strict=True):
            if not given.is_set():
                given.set()
                return {self._place: [record_of(self._rows[number], offset=number) for number in batch]}
        await asyncio.sleep(timeout_ms / 1000)
        return {}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.committed.append(offsets[self._place])


async def test_the_next_batch_is_read_while_this_one_is_at_work(things: Things) -> None:
    source = _Batches(things, [0, 1], [2, 3])
    stop = asyncio.Event()

    async def waits_for_the_next(event: Any) -> None:
        async with asyncio.timeout(10):
            await source.given[1].wait()
        if event.number == 3:
            stop.set()

    await things.consumer(things.handlers(waits_for_the_next)).consume(source, stop)
    assert await things.effects() == {thing(0): [0, 1, 2, 3]}
    assert source.committed == [2, 4]


async def test_what_was_read_ahead_and_not_begun_is_not_committed(things: Things) -> None:
    source = _Batches(things, [0, 1], [2, 3])
    stop = asyncio.Event()

    async def stops_when_the_next_is_there(_: Any) -> None:
        async with asyncio.timeout(10):
            await source.given[1].wait()
        stop.set()

    await things.consumer(things.handlers(stops_when_the_next_is_there)).consume(source, stop)
    assert await things.effects() == {thing(0): [0, 1]}
    assert source.committed == [2]


async def test_an_event_that_comes_twice_in_a_batch_and_again_in_the_next_takes_effect_once(things: Things) -> None:
    source = _Batches(things, [0, 1, 0], [1, 2])
    stop = asyncio.Event()

    def stops_at_the_last(event: Any) -> None:
        if event.number == 2:
            stop.set()

    await things.consumer(things.handlers(stops_at_the_last)).consume(source, stop)
    assert await things.effects() == {thing(0): [0, 1, 2]}
