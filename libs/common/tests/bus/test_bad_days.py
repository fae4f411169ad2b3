import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer
from council_common.events.dead_letters import WAITS_BEHIND, replay_dead_letters
from council_common.events.envelope import type_of, unseal
from council_common.events.handlers import Received
from council_common.events.relay import make_producer
from things_service import Things, at_work, thing


async def test_a_broker_killed_and_restarted_loses_nothing(fragile_things: Things, kafka: Any) -> None:
    things = fragile_things
    async with at_work(things.relay(batch=100), things.consumer()):
        for number in range(30):
            await things.count(number, of=number % 3)
            if number == 10:
                kafka.kill()
            if number == 20:
                await asyncio.to_thread(kafka.start)
        await things.until_effects(30)
    effects = await things.effects()
    assert effects == {thing(of): list(range(of, 30, 3)) for of in range(3)}


async def test_a_broker_away_for_a_minute_while_commands_go_on(fragile_things: Things, kafka: Any) -> None:
    things = fragile_things
    async with at_work(things.relay(), things.consumer()):
        await things.count(0, of=0)
        await things.until_effects(1)
        kafka.kill()
        for number in range(1, 61):
            await things.count(number, of=0)  # a command never waits for the broker
            await asyncio.sleep(1)
        assert await things.scalar("SELECT count(*) FROM outbox") == 60
        await asyncio.to_thread(kafka.start)
        await things.until_effects(61)
    assert await things.effects() == {thing(0): list(range(61))}


async def test_a_handler_that_fails_four_times_and_then_works(things: Things) -> None:
    failures = 0

    def fails_four_times(event: Any) -> None:
        nonlocal failures
        if event.thing_id == thing(1) and failures < 4:
            failures += 1
            raise ValueError("not yet")

    await things.publish_many(20, things=4)
    async with at_work(things.relay(), things.consumer(things.handlers(fails_four_times))):
        await things.until_effects(20)
    assert failures == 4
    assert await things.effects() == {thing(of): list(range(5)) for of in range(4)}
    assert await things.scalar("SELECT count(*) FROM dead_letter") == 0


async def test_a_bad_event_goes_to_the_dead_topic_with_its_reason_and_is_replayed(things: Things) -> None:
    broken = True

    def refuses_one(event: Any) -> None:
        if broken and event.thing_id == thing(1) and event.number == 1:
            raise ValueError("the account is unknown")

    await things.publish_many(20, things=4)  # five events each of four things
    handlers = things.handlers(refuses_one)
    async with at_work(things.relay(), things.consumer(handlers)):
        await things.until("SELECT count(*) FROM dead_letter", 4)
        await things.until_effects(16)
        letters = await _dead_letters(things, 4)
    assert {letter["key"] for letter in letters} == {str(thing(1))}
    assert sorted((letter["attempts"], letter["reason"]) for letter in letters) == [
        (0, WAITS_BEHIND),
        (0, WAITS_BEHIND),
        (0, WAITS_BEHIND),
        (5, "ValueError: the account is unknown"),
    ]
    assert (await things.effects())[thing(1)] == [0]  # none overtook the one that failed

    assert await _replay(things, handlers) == (0, 1)
    broken = False
    assert await _replay(things, handlers) == (4, 0)
    assert (await things.effects())[thing(1)] == list(range(5))
    assert await things.scalar("SELECT count(*) FROM dead_letter") == 0


async def test_bytes_that_are_no_event_are_put_aside_and_do_not_stall_the_others(things: Things) -> None:
    producer = make_producer(things.bootstrap)
    await producer.start()
    for payload in (b"\xff\xfe not json", b'{"specversion":"1.0"}', b""):
        await producer.send_and_wait(things.topic, payload, key=b"whoever", partition=0)
    await producer.stop()
    await things.publish_many(12, things=6)
    async with at_work(things.relay(), things.consumer()):
        await things.until_effects(12)
        await things.until("SELECT count(*) FROM dead_letter", 3)
        letters = await _dead_letters(things, 3)
    assert all(letter["reason"] for letter in letters)


async def _dead_letters(things: Things, count: int) -> list[dict[str, Any]]:
    import json

    consumer = AIOKafkaConsumer(
        f"{things.topic}.dead", bootstrap_servers=things.bootstrap, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [json.loads(record.value) for record in records]
    await consumer.stop()
    return found


async def _replay(things: Things, handlers: Any) -> tuple[int, int]:
    def read(payload: bytes, event_type: str | None) -> Received[Any]:
        envelope = unseal(payload, handlers.types[event_type or type_of(payload)])
        return Received(envelope.data, envelope.id, envelope.time)

    handled, failed = await replay_dead_letters(things.sessions, handlers, read=read)
    return handled, len(failed)
