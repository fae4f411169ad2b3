import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from council_common.database.migrations import migrate
from council_common.testing.harness import Harness, harness
from council_local.scratch import ScratchDatabases
from supplier_service.main import SERVICE
from supplier_service.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def service_database(databases: ScratchDatabases) -> str:
    template = databases.template("supplier", lambda url: migrate(SERVICE.folder, url))
    return databases.fresh(template)


@pytest.fixture
async def service(service_database: str) -> AsyncIterator[Harness]:
    async with harness(SERVICE, Settings, service_database) as running:
        yield running


@pytest.fixture
async def racing_service(databases: ScratchDatabases, service_database: str) -> AsyncIterator[Harness]:
    template = databases.template("supplier", lambda url: migrate(SERVICE.folder, url))
    url = databases.fresh(template)
    async with harness(SERVICE, Settings, url, rolled_back=False) as running:
        yield running
    databases.drop([url])
