"""The tallies' office on a database of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from council_common.runtime.service_runtime import open_runtime
from council_local.scratch import ScratchDatabases

sys.path.insert(0, str(Path(__file__).parent))

from tallies import Office, Tally, prepare_database, settings_for


@pytest.fixture(scope="session")
def tallies_template(databases: ScratchDatabases) -> str:
    return databases.template("tallies", lambda url: asyncio.run(prepare_database(url)))


@pytest.fixture
async def office(tallies_template: str, database_url: Callable[[str], str]) -> AsyncIterator[Office]:
    async with open_runtime("tallies", settings_for(database_url(tallies_template))) as runtime:
        yield Office(runtime, Tally())
