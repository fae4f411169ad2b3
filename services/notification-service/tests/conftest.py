from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from council_common.database.migrations import migrate
from council_common.testing.harness import Harness, harness
from council_common.testing.issuer import TestIssuer
from council_local.scratch import ScratchDatabases
from notification_service.main import SERVICE
from notification_service.settings import Settings

# Their names carry the service's: the tests of all services may run in one process.
sys.path.insert(0, str(Path(__file__).parent))
from notification_post import Post, post_of
from notification_stand_ins import OtherServices, other_services


@pytest.fixture(scope="session")
def service_database(databases: ScratchDatabases) -> str:
    template = databases.template("notification", lambda url: migrate(SERVICE.folder, url))
    return databases.fresh(template)


@pytest.fixture
async def service(service_database: str) -> AsyncIterator[Harness]:
    async with harness(SERVICE, Settings, service_database) as running:
        yield running


@pytest.fixture
async def racing_service(databases: ScratchDatabases, service_database: str) -> AsyncIterator[Harness]:
    template = databases.template("notification", lambda url: migrate(SERVICE.folder, url))
    url = databases.fresh(template)
    async with harness(SERVICE, Settings, url, rolled_back=False) as running:
        yield running
    databases.drop([url])


@pytest.fixture(scope="session")
async def others() -> AsyncIterator[OtherServices]:
    async with other_services(TestIssuer()) as running:
        yield running


@pytest.fixture
async def post(service: Harness, others: OtherServices) -> AsyncIterator[Post]:
    async with post_of(service, others) as running:
        yield running


@pytest.fixture
async def racing_post(racing_service: Harness, others: OtherServices) -> AsyncIterator[Post]:
    async with post_of(racing_service, others) as running:
        yield running
