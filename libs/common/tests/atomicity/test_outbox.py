import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from things_service import Things, at_work, thing


async def test_what_rolls_back_publishes_nothing(things: Things) -> None:
    with pytest.raises(ZeroDivisionError):
        async with things.sessions.begin() as session:
            await things.publish(session, 0, of=1)
            raise ZeroDivisionError
    assert await things.scalar("SELECT count(*) FROM outbox") == 0


async def test_an_event_written_early_and_committed_late_is_sent(things: Things) -> None:
    async with at_work(things.relay(), things.consumer()):
        async with things.sessions() as early:
            await things.publish(early, 0, of=1)  # takes the lower position
            await things.count(0, of=2)  # takes a higher one and commits at once
            await things.until_effects(1)
            assert await things.scalar("SELECT count(*) FROM outbox") == 0
            await early.commit()
        await things.until_effects(2)
    assert await things.effects() == {thing(1): [0], thing(2): [0]}


async def test_a_crash_between_commit_and_send_loses_nothing(things: Things) -> None:
    await things.count(0, of=1)  # committed; no relay runs: the process died here
    assert await things.scalar("SELECT count(*) FROM outbox") == 1
    async with at_work(things.relay(), things.consumer()):
        await things.until_effects(1)


async def test_the_relay_wakes_on_commit(things: Things) -> None:
    # A relay that would look by itself only after an hour.
    async with at_work(things.relay(look_every=3600), things.consumer()):
        for number in range(3):
            await things.count(number, of=1)
            await things.until_effects(number + 1)


async def test_a_commit_that_fails_takes_the_event_with_it(things: Things) -> None:
    with pytest.raises(DBAPIError):
        async with things.sessions.begin() as session:
            for number in range(2):  # the unique name is checked at commit
                await session.execute(text("INSERT INTO thing VALUES (:id, 'same')"), {"id": thing(number)})
            await things.publish(session, 0, of=1)
    assert await things.scalar("SELECT count(*) FROM outbox") == 0
