import asyncio

from things_service import Things, at_work, thing


async def test_events_of_one_aggregate_keep_their_order(things: Things) -> None:
    async with at_work(things.relay(batch=97), things.consumer(batch=71)):
        await things.publish_many(3000, things=20)
        await things.until_effects(3000)
    effects = await things.effects()
    assert effects == {thing(of): list(range(150)) for of in range(20)}


async def test_two_relays_started_at_once_keep_the_order_and_double_nothing(things: Things) -> None:
    relays = [things.relay(batch=50) for _ in range(2)]
    async with at_work(*relays, things.consumer()):
        for round_ in range(10):
            await asyncio.gather(*(things.count(round_, of=of) for of in range(10)))
        await things.until_effects(100)
    assert await things.effects() == {thing(of): list(range(10)) for of in range(10)}
    assert await things.scalar("SELECT sum(count)::int FROM events_sent") == 100


async def test_a_relay_that_stands_by_takes_over(things: Things) -> None:
    first, second = things.relay(), things.relay()
    async with at_work(second, things.consumer()):
        async with at_work(first):
            await things.count(0, of=1)
            await things.until_effects(1)
        await things.count(1, of=1)
        await things.until_effects(2)
    assert await things.effects() == {thing(1): [0, 1]}
