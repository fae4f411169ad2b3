"""A service of any name on a migrated database, rolled back: `office` of the parameter `name`."""

import importlib
from collections.abc import AsyncIterator

import pytest
from council_common.database.migrations import migrate
from council_common.testing.fixtures import Databases
from council_common.testing.harness import Harness, harness

_urls: dict[str, str] = {}


@pytest.fixture
def office_url(name: str, databases: Databases) -> str:
    """Migrated once: outside any event loop, as migrating begins its own."""
    if name not in _urls:
        folder = importlib.import_module(f"{name}_service.main").SERVICE.folder
        _urls[name] = databases.fresh(databases.template(name, lambda url: migrate(folder, url)))
    return _urls[name]


@pytest.fixture
async def office(name: str, office_url: str) -> AsyncIterator[Harness]:
    """The service as its own tests have it."""
    service = importlib.import_module(f"{name}_service.main").SERVICE
    settings = importlib.import_module(f"{name}_service.settings").Settings
    async with harness(service, settings, office_url) as running:
        yield running
