"""While the broker is away the log says so once, then once a minute, and once when it is back."""

import asyncio
import io
import json
import logging
from collections import Counter
from contextlib import redirect_stderr

from council_common.events.broker_watch import BrokerWatch
from council_common.events.relay import Relay
from council_common.observability.logs import configure_logs
from council_common.service.health import broker_answers
from things_service import Things, at_work


async def test_one_line_when_the_broker_goes_one_a_minute_one_when_it_is_back(
    fragile_things: Things, kafka: object
) -> None:
    """The minute is a second here."""
    out, stop = io.StringIO(), asyncio.Event()
    bootstrap = kafka.bootstrap  # type: ignore[attr-defined]
    watch = BrokerWatch(lambda: broker_answers(bootstrap), ask_every=0.2, say_every=1.0)
    relay = Relay(
        database_url=fragile_things.url, bootstrap_servers=bootstrap, service="watched", is_away=watch.is_away
    )
    with redirect_stderr(out):
        configure_logs("things-service")
        watching = asyncio.create_task(watch.run(stop))
        async with at_work(relay, fragile_things.consumer()):
            await fragile_things.publish_many(1, things=1)
            await fragile_things.until_effects(1)
            kafka.kill()  # type: ignore[attr-defined]
            await fragile_things.publish_many(1, things=1)
            await asyncio.sleep(4)
            kafka.restart()  # type: ignore[attr-defined]
            await fragile_things.until_effects(2)
            async with asyncio.timeout(30):
                while watch.is_away():
                    await asyncio.sleep(0.1)
        stop.set()
        await watching
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    events = Counter(line["event"] for line in lines)
    assert (events["broker_away"], events["broker_back"]) == (1, 1)
    back = next(line for line in lines if line["event"] == "broker_back")
    assert 2 <= events["broker_still_away"] <= back["seconds"] + 1
    assert back["lines_held_back"] > 0
    away = [line for line in lines if "nable" in line["event"] or "Failed fetch" in line["event"]]
    assert away == []


async def test_a_warning_while_the_broker_answers_is_written() -> None:
    out, stop = io.StringIO(), asyncio.Event()

    async def answers() -> bool:
        return True

    watch = BrokerWatch(answers)
    with redirect_stderr(out):
        configure_logs("things-service")
        watching = asyncio.create_task(watch.run(stop))
        await asyncio.sleep(0)
        logging.getLogger("aiokafka.consumer").error("Topic debts.v1 is not authorized for this client")
        await asyncio.sleep(0.05)
        stop.set()
        await watching
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == [
        "Topic debts.v1 is not authorized for this client"
    ]
