"""The little service of these tests, on the real database and the real broker."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from council_local.scratch import ScratchDatabases

sys.path.insert(0, str(Path(__file__).parent))

from things_service import Things, prepare, things_at

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def things_template(databases: ScratchDatabases) -> str:
    return databases.template("things", lambda url: asyncio.run(prepare(url)))


@pytest.fixture
async def things(things_template: str, database_url: Callable[[str], str], shared_kafka: Any) -> AsyncIterator[Things]:
    """The little service on the session's broker, with a database and a topic of its own."""
    number = next(_numbers)
    topic = f"things{number}.v1"
    shared_kafka.create_topics(topic, f"{topic}.dead")
    url = database_url(things_template)
    async with things_at(url, shared_kafka.bootstrap, topic=topic, name=f"things-service-{number}") as running:
        yield running


@pytest.fixture
async def fragile_things(things_template: str, database_url: Callable[[str], str], kafka: Any) -> AsyncIterator[Things]:
    """The little service on a broker of its own, to be killed."""
    kafka.create_topics("things.v1", "things.v1.dead")
    async with things_at(
        database_url(things_template), kafka.bootstrap, topic="things.v1", name="things-service"
    ) as running:
        yield running
