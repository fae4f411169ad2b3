import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from council_common.database.migrations import migrate
from council_common.runtime.settings import ServiceSettings
from council_common.testing.harness import Harness, harness
from council_local.scratch import ScratchDatabases
from fastapi import FastAPI
from supplier_service.main import SERVICE
from supplier_service.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))

_apis: list[FastAPI] = []


def _one_api(settings: ServiceSettings) -> FastAPI:
    """One app for all tests, each with its own runtime: FastAPI builds an app's routes as they are first asked for."""
    if not _apis:
        _apis.append(SERVICE.create_api(settings))
    return _apis[0]


TESTED = replace(SERVICE, create_api=_one_api)


@pytest.fixture(scope="session")
def service_database(databases: ScratchDatabases) -> str:
    template = databases.template("supplier", lambda url: migrate(SERVICE.folder, url))
    return databases.fresh(template)


@pytest.fixture
async def service(service_database: str) -> AsyncIterator[Harness]:
    async with harness(TESTED, Settings, service_database) as running:
        yield running


@pytest.fixture
async def racing_service(databases: ScratchDatabases, service_database: str) -> AsyncIterator[Harness]:
    template = databases.template("supplier", lambda url: migrate(SERVICE.folder, url))
    url = databases.fresh(template)
    async with harness(TESTED, Settings, url, rolled_back=False) as running:
        yield running
    databases.drop([url])
