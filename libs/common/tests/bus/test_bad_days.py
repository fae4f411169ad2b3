import asyncio
import json
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer
from council_common.errors import Conflict
from council_common.events.dead_letters import WAITS_BEHIND, discard_dead_letter, replay_dead_letters
from council_common.events.envelope import seal
from council_common.events.relay import make_producer
from council_common.ids import new_id
from council_common.published_language.dead_letter import DEAD_LETTER_SCHEMA
from jsonschema import Draft202012Validator
from things_service import NOW, Things, at_work, thing


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
            raise Conflict("The account is unknown.")

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
        (5, "Conflict: The account is unknown."),
    ]
    assert (await things.effects())[thing(1)] == [0]  # none overtook the one that failed

    assert await _replay(things, handlers) == (0, 1)
    broken = False
    assert await _replay(things, handlers) == (4, 0)
    assert (await things.effects())[thing(1)] == list(range(5))
    assert await things.scalar("SELECT count(*) FROM dead_letter") == 0


async def test_bytes_that_are_no_event_become_dead_letters_and_do_not_stall_the_others(things: Things) -> None:
    producer = make_producer(things.bootstrap)
    await producer.start()
    for payload in (b"\xff\xfe not json", b'{"specversion":"1.0"}', b""):
        await producer.send_and_wait(things.topic, payload, key=b"no id", partition=0)
    await producer.stop()
    await things.publish_many(12, things=6)
    async with at_work(things.relay(), things.consumer()):
        await things.until_effects(12)
        await things.until("SELECT count(*) FROM dead_letter", 3)
        letters = await _dead_letters(things, 3)
    assert all(letter["reason"] for letter in letters)


async def test_headers_and_keys_that_are_no_text_do_not_stall_the_others(things: Things) -> None:
    producer = make_producer(things.bootstrap)
    await producer.start()
    for key, event_type in ((b"who", b"\xff\xfe"), (b"\x00\x00\x00\x07", b""), (b"\x00", b"a\x00b"), (b"\xff", b"")):
        headers = [("ce_type", event_type)] if event_type else []
        await producer.send_and_wait(things.topic, b"{}", key=key, partition=0, headers=headers)
    unreadable = things.event.type.encode()
    await producer.send_and_wait(things.topic, b"\x00", key=b"\x00\xfe", partition=0, headers=[("ce_type", unreadable)])
    await producer.stop()
    await things.publish_many(12, things=6)
    async with at_work(things.relay(), things.consumer()):
        await things.until_effects(12)
        letters = await _dead_letters(things, 3)
    # A type that is not ours is no letter of ours; a record without any, or of ours, is kept with its key as it was.
    assert sorted(letter["key"] for letter in letters) == ["\\x00\\x00\\x00\x07", "\\x00\\xfe", "\\xff"]


async def test_what_another_than_its_producer_wrote_becomes_a_dead_letter(things: Things) -> None:
    ours, header = things.an_event(0, of=1), [("ce_type", things.event.type.encode())]
    payload = seal(ours, event_id=new_id())
    forged = (
        (payload, thing(2)),  # another aggregate's place in the order
        (payload.replace(b"urn:council:things-service", b"urn:council:other-service"), thing(1)),
        (payload.replace(things.event.type.encode(), b"uk.gov.council.other.sent.v1"), thing(1)),
    )
    producer = make_producer(things.bootstrap)
    await producer.start()
    for value, key in forged:
        await producer.send_and_wait(things.topic, value, key=str(key).encode(), partition=0, headers=header)
    await producer.stop()
    handlers = things.handlers()
    async with at_work(things.relay(), things.consumer(handlers)):
        letters = await _dead_letters(things, 3)
    assert {letter["reason"] for letter in letters} == {
        "the record's key is not the aggregate's id",
        "type or source of the envelope is not that of the event",
    }
    assert (await _replay(things, handlers))[0] == 0  # the usual command after an outage believes them no more
    assert await things.effects() == {}


async def test_a_record_near_the_broker_s_limit_is_kept_whole_and_published_in_part(things: Things) -> None:
    junk = b"\xff" * 900_000  # as escaped JSON six times as long: the broker would never take it back
    producer = make_producer(things.bootstrap)
    await producer.start()
    await producer.send_and_wait(things.topic, junk, key=b"no id", partition=0)
    await producer.stop()
    await things.publish_many(12, things=6)
    async with at_work(things.relay(), things.consumer()):
        await things.until_effects(12)
        [letter] = await _dead_letters(things, 1)
    assert (letter["payload_bytes"], len(letter["payload"])) == (900_000, 64 * 1024)
    assert await things.scalar("SELECT length(payload) FROM dead_letter") == 900_000


async def test_what_comes_in_during_a_replay_is_replayed_too(things: Things) -> None:
    """The consumer keeps an event behind the last letter at the moment at which that letter is handled."""
    broken = True
    replaying, kept_behind = asyncio.Event(), asyncio.Event()

    async def refuses_then_waits(event: Any) -> None:
        if event.number == 0 and broken:
            raise ValueError("not yet")
        if event.number == 0:
            replaying.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(kept_behind.wait(), timeout=1)

    handlers = things.handlers(refuses_then_waits)
    async with at_work(things.relay(), things.consumer(handlers)):
        await things.count(0, of=1)
        await things.until("SELECT count(*) FROM dead_letter", 1)
        broken = False
        replay = asyncio.create_task(_replay(things, handlers))
        await replaying.wait()
        await things.count(1, of=1)
        await things.until("SELECT count(*) FROM outbox", 0)
        handled, failed = await replay
        await things.until_effects(2)
    assert (handled, failed) in {(1, 0), (2, 0)}
    assert await things.effects() == {thing(1): [0, 1]}
    assert await things.scalar("SELECT count(*) FROM dead_letter") == 0


async def test_a_letter_given_up_lets_the_others_go_on(things: Things) -> None:
    def refuses_the_first(event: Any) -> None:
        if event.number == 0:
            raise Conflict("Never.")

    handlers = things.handlers(refuses_the_first)
    await things.publish_many(6, things=2)
    async with at_work(things.relay(), things.consumer(handlers)):
        await things.until("SELECT count(*) FROM dead_letter", 6)
    assert await _replay(things, handlers) == (0, 2)
    for letter_id in await things.scalar("SELECT array_agg(id) FROM dead_letter WHERE attempts > 0"):
        async with things.sessions.begin() as session:
            gone = await discard_dead_letter(session, letter_id)
            assert gone is not None and gone.reason == "Conflict: Never."
            assert await discard_dead_letter(session, letter_id) is None
    assert await _replay(things, handlers) == (4, 0)
    assert await things.effects() == {thing(of): [1, 2] for of in range(2)}


async def _dead_letters(things: Things, count: int) -> list[dict[str, Any]]:
    """What is published on the dead topic; each keeps the published schema."""
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
    for letter in found:
        Draft202012Validator(DEAD_LETTER_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(letter)
    return found


async def _replay(things: Things, handlers: Any) -> tuple[int, int]:
    handled, failed = await replay_dead_letters(things.sessions, handlers, clock=lambda: NOW)
    return handled, len(failed)
