"""A platform of a test's own, to be broken."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from council_local.folders import Folders
from council_local.platform import Platform
from council_local.ports import Ports
from council_local.scratch import scratch_folder

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from council import Council


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("platform")


@pytest.fixture
async def council() -> AsyncIterator[Council]:
    with scratch_folder("faults") as folder:
        async with Platform(Folders(folder), Ports.free(), environment={}) as platform:
            people = Council(platform)
            yield people
            await people.close()
