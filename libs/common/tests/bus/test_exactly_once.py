import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from council_common.events.consumer import Consumer
from council_common.events.relay import Relay
from prometheus_client import REGISTRY
from things_service import Things, at_work, thing, things_at

WORKER = Path(__file__).parent / "counting_worker.py"


class _Crash(BaseException):
    """The process ends here."""


async def test_redelivery_after_a_crash_between_effect_and_offset(things: Things) -> None:
    class CrashesBeforeItsOffset(Consumer):
        async def _commit(self, consumer: Any, fetched: Any) -> None:
            raise _Crash

    await things.publish_many(100, things=10)
    async with at_work(things.relay()):
        with pytest.raises(_Crash):
            await things.consumer(kind=CrashesBeforeItsOffset).run(asyncio.Event())
        done = await things.scalar("SELECT count(*) FROM effect")
        assert done > 0
        repeated = REGISTRY.get_sample_value("council_events_repeated_total") or 0
        async with at_work(things.consumer()):
            await things.until_effects(100)
            await things.count(99, of=0)  # the marker behind them: all redelivered ones were seen
            await things.until_effects(101)
    again = REGISTRY.get_sample_value("council_events_repeated_total") or 0
    assert again - repeated >= done
    assert (await things.effects())[thing(1)] == list(range(10))


async def test_a_crash_between_send_and_removal_sends_again_and_takes_effect_once(things: Things) -> None:
    class CrashesBeforeRemoval(Relay):
        async def _send(self, producer: Any, rows: Any) -> None:
            await super()._send(producer, rows)
            raise _Crash

    await things.publish_many(50, things=5)
    with pytest.raises(_Crash):
        await things.relay(kind=CrashesBeforeRemoval).run(asyncio.Event())
    assert await things.scalar("SELECT count(*) FROM outbox") == 50
    async with at_work(things.relay(), things.consumer()):
        await things.until("SELECT count(*) FROM outbox", 0)
        await things.until_effects(50)
        await things.count(10, of=0)
        await things.until_effects(51)
    assert await things.effects() == {thing(0): list(range(11))} | {thing(of): list(range(10)) for of in range(1, 5)}


async def test_several_groups_each_get_every_event(things: Things, things_template: str, database_url: Any) -> None:
    url = database_url(things_template)
    async with things_at(url, things.bootstrap, topic=things.topic, name=f"{things.name}-other") as other:
        other.event = things.event
        async with at_work(things.relay(), things.consumer(), other.consumer()):
            await things.publish_many(300, things=7)
            await things.until_effects(300)
            await other.until_effects(300)
        assert await things.effects() == await other.effects()


async def test_a_rebalance_in_the_middle_of_a_batch_neither_loses_nor_doubles(things: Things) -> None:
    async def slowly(_: Any) -> None:
        await asyncio.sleep(0.005)

    await things.publish_many(600, things=12)
    slow = things.handlers(slowly)
    async with at_work(things.relay(), things.consumer(slow, batch=300)):
        await things.until("SELECT count(*) > 0 FROM events_sent", True)
        await asyncio.sleep(0.5)  # the first batch is under way: now a second member joins, and leaves again
        async with at_work(things.consumer(slow, batch=100)):
            await asyncio.sleep(1.5)
        await things.until_effects(600)
    assert await things.effects() == {thing(of): list(range(50)) for of in range(12)}


async def test_ten_thousand_events_with_a_consumer_killed_three_times(things: Things) -> None:
    await things.publish_many(10_000, things=50)
    async with at_work(things.relay(batch=2000)):
        for threshold in (1500, 4000, 7000):
            process = await _start_worker(things)
            while await things.scalar("SELECT count(*) FROM effect") < threshold:
                assert process.returncode is None
                await asyncio.sleep(0.01)
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        process = await _start_worker(things)
        await things.until_effects(10_000)
        process.terminate()
        await process.wait()
    assert await things.effects() == {thing(of): list(range(200)) for of in range(50)}


async def _start_worker(things: Things) -> asyncio.subprocess.Process:
    arguments = (things.url, things.bootstrap, things.name, things.topic)
    return await asyncio.create_subprocess_exec(sys.executable, str(WORKER), *arguments)
