"""A service is put together from its rooms."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from council_common.runtime.service_runtime import Runtime
from council_common.runtime.settings import ServiceSettings
from council_common.service.command import Service
from council_common.service.jobs import Job


async def _work(_: Runtime) -> None: ...


def _job(name: str) -> Job:
    return Job(name, _work, every=timedelta(hours=1))


def _service(*jobs: Job) -> Service:
    def create_api(_: ServiceSettings) -> Any:
        raise AssertionError

    return Service("things-service", Path(), ServiceSettings, create_api, jobs=jobs)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["migrate", "replay-dead", "purge", "count-things"])
def test_no_two_jobs_or_commands_share_a_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"more than one job or command named {name}"):
        _service(_job("count-things"), _job(name))


def test_a_service_without_handlers_subscribes_to_nothing() -> None:
    service = _service(_job("count-things"))
    assert (service.handlers.topics, len(service.jobs)) == ((), 1)
