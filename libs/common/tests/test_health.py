"""What is away shows where it must, and nowhere else."""

import re
from typing import Any

import httpx
from council_common.runtime.service_runtime import open_runtime
from council_common.runtime.settings import ServiceSettings
from council_common.service.api import build_api
from things_service import Things

NOWHERE = "127.0.0.1:1"
_QUIET: dict[str, Any] = {"_env_file": None, "oidc_issuer": "https://issuer", "log_level": "ERROR"}


async def _answers(**given: Any) -> dict[str, tuple[int, Any]]:
    settings = ServiceSettings(**_QUIET, **given)
    async with open_runtime("things-service", settings) as runtime:
        app = build_api("things-service", settings, routers=(), description="")
        app.state.runtime = runtime
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://things") as client:
            answers = {path: await client.get(f"/health/{path}") for path in ("live", "serving", "ready")}
    return {path: (answer.status_code, answer.json()) for path, answer in answers.items()}


async def test_all_is_there(things: Things) -> None:
    assert await _answers(database_url=things.url, kafka_bootstrap_servers=things.bootstrap) == {
        "live": (200, {"status": "live"}),
        "serving": (200, {"database": "ready"}),
        "ready": (200, {"database": "ready", "broker": "ready"}),
    }


async def test_without_the_broker_requests_are_served(things: Things) -> None:
    """Their events wait in the outbox."""
    assert await _answers(database_url=things.url, kafka_bootstrap_servers=NOWHERE) == {
        "live": (200, {"status": "live"}),
        "serving": (200, {"database": "ready"}),
        "ready": (503, {"database": "ready", "broker": "away"}),
    }


async def test_without_the_database_none_is(things: Things) -> None:
    no_database = f"postgresql://postgres@{NOWHERE}/things"
    assert await _answers(database_url=no_database, kafka_bootstrap_servers=things.bootstrap) == {
        "live": (200, {"status": "live"}),
        "serving": (503, {"database": "away"}),
        "ready": (503, {"database": "away", "broker": "ready"}),
    }


async def test_a_database_that_refuses_us_is_away(things: Things) -> None:
    wrong = things.url.rsplit("/", 1)[0] + "/no_such_database"
    assert (await _answers(database_url=wrong, kafka_bootstrap_servers=NOWHERE))["serving"][0] == 503


async def test_the_pages_of_the_api_documents_need_nothing_from_the_internet(things: Things) -> None:
    settings = ServiceSettings(kafka_bootstrap_servers=NOWHERE, database_url=things.url, **_QUIET)
    async with open_runtime("things-service", settings) as runtime:
        app = build_api("things-service", settings, routers=(), description="")
        app.state.runtime = runtime
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://things") as client:
            page = (await client.get("/docs")).text
            parts = re.findall(r'(?:src|href)="([^"]+)"', page)
            assert {(await client.get(part)).status_code for part in parts} == {200}
    assert parts
    assert "://" not in page
