"""The fixtures every service's tests have: the service on a real database, rolled back or raced."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Protocol

import pytest

from council_common.database.migrations import migrate
from council_common.runtime.settings import ServiceSettings
from council_common.service.command import Service
from council_common.testing.harness import Harness, harness


class Databases(Protocol):
    """Fresh databases from migrated templates; the root `conftest.py` has the fixture `databases`."""

    def template(self, name: str, prepare: Callable[[str], None]) -> str: ...
    def fresh(self, template: str | None = None) -> str: ...
    def drop(self, urls: Iterable[str]) -> None: ...


def service_fixtures(tested: Service, settings: type[ServiceSettings]) -> tuple[Any, Any, Any]:
    """`service_database`, `service` and `racing_service` of one service, to be named so in its `conftest.py`."""

    def fresh(databases: Databases) -> str:
        return databases.fresh(
            databases.template(tested.name.removesuffix("-service"), lambda url: migrate(tested.folder, url))
        )

    @pytest.fixture(scope="session")
    def service_database(databases: Databases) -> str:
        return fresh(databases)

    @pytest.fixture
    async def service(service_database: str) -> AsyncIterator[Harness]:
        async with harness(tested, settings, service_database) as running:
            yield running

    # Asks for `service_database` so that the template is there: migrating begins an event loop of its own.
    @pytest.fixture
    async def racing_service(databases: Databases, service_database: str) -> AsyncIterator[Harness]:
        del service_database
        url = fresh(databases)
        async with harness(tested, settings, url, rolled_back=False) as running:
            yield running
        databases.drop([url])

    return service_database, service, racing_service
