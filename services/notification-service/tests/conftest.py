from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from council_common.testing.fixtures import service_fixtures
from council_common.testing.harness import Harness
from council_common.testing.issuer import TestIssuer
from notification_service.main import SERVICE
from notification_service.settings import Settings

# Their names carry the service's: the tests of all services may run in one process.
sys.path.insert(0, str(Path(__file__).parent))
from notification_post import Post, post_of
from notification_stand_ins import OtherServices, other_services

service_database, service, racing_service = service_fixtures(SERVICE, Settings)


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
