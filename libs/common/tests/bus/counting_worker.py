"""A consumer in a process of its own, for tests that kill it: DATABASE_URL BOOTSTRAP NAME TOPIC."""

import asyncio
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from things_service import things_at


async def main(url: str, bootstrap: str, name: str, topic: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with things_at(url, bootstrap, topic=topic, name=name) as things:
        await things.consumer(batch=200).run(stop)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
