"""What no rule raised: every route answers 503 for what passes by itself and 500 for a fault of ours."""

import httpx
import pytest
from council_common.runtime.settings import ServiceSettings
from council_common.service.api import build_api
from test_transient_faults import PASSING, WRONG


class _Raises:
    fault: BaseException = ValueError()


raises = _Raises()


@pytest.fixture(scope="module")
def client() -> httpx.AsyncClient:
    settings = ServiceSettings(
        _env_file=None,
        database_url="postgresql://nowhere",
        kafka_bootstrap_servers="nowhere:1",
        oidc_issuer="https://i",
    )
    app = build_api("faults-service", settings, routers=(), description="Faults")

    @app.get("/v1/faults")
    async def anywhere() -> None:
        raise raises.fault

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


@pytest.mark.parametrize("fault", PASSING, ids=repr)
async def test_what_passes_by_itself_is_503_with_a_time_to_try_again(
    client: httpx.AsyncClient, fault: BaseException
) -> None:
    raises.fault = fault
    answer = await client.get("/v1/faults")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["code"] == "unavailable"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("fault", WRONG, ids=repr)
async def test_a_fault_of_ours_is_500_without_its_words(client: httpx.AsyncClient, fault: BaseException) -> None:
    raises.fault = fault
    answer = await client.get("/v1/faults")
    assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")
    assert "retry-after" not in answer.headers
    assert str(fault)[:30] not in answer.text or not str(fault)
