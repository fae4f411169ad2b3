from collections.abc import AsyncIterator

import pytest
from council_common.database.migrations import migrate
from council_common.testing.harness import Harness, harness
from council_local.scratch import ScratchDatabases
from invoice_service.main import SERVICE
from invoice_service.settings import Settings


@pytest.fixture(scope="session")
def service_database(databases: ScratchDatabases) -> str:
    template = databases.template("invoice", lambda url: migrate(SERVICE.folder, url))
    return databases.fresh(template)


@pytest.fixture
async def service(service_database: str) -> AsyncIterator[Harness]:
    async with harness(SERVICE, Settings, service_database) as running:
        yield running


@pytest.fixture
async def racing_service(databases: ScratchDatabases, service_database: str) -> AsyncIterator[Harness]:
    template = databases.template("invoice", lambda url: migrate(SERVICE.folder, url))
    url = databases.fresh(template)
    async with harness(SERVICE, Settings, url, rolled_back=False) as running:
        yield running
    databases.drop([url])
