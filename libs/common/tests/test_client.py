from collections.abc import Callable
from typing import Any

import httpx
import pytest
from council_common.errors import Unavailable
from council_common.runtime.clients import ServiceClients
from council_common.runtime.settings import ServiceSettings
from council_common.testing.issuer import ISSUER, TestIssuer

Answer = Callable[[httpx.Request], httpx.Response]


class Neighbour:
    """Another service behind real HTTP semantics; gives the prepared answers and remembers what it was asked."""

    def __init__(self, *answers: int | Exception) -> None:
        self.asked: list[httpx.Request] = []
        self._answers = list(answers)
        self._issuer = TestIssuer()
        self.tokens_granted = 0
        self.issuer_answers: httpx.Response | None = None
        self.says_how_long = True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(ISSUER):
            if self.issuer_answers is not None:
                return self.issuer_answers
            answered = self._issuer._answer(request)
            if request.url.path != "/token":
                return answered
            self.tokens_granted += 1
            kept = {
                name: value for name, value in answered.json().items() if self.says_how_long or name != "expires_in"
            }
            return httpx.Response(200, json=kept)
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, json={"asked": len(self.asked)})


def clients(neighbour: Neighbour) -> ServiceClients:
    settings = ServiceSettings(
        _env_file=None,
        database_url="postgresql://nowhere",
        kafka_bootstrap_servers="nowhere:1",
        oidc_issuer=ISSUER,
        client_id="invoice-service",
        supplier_service_url="http://supplier",
    )
    return ServiceClients(settings, httpx.AsyncClient(transport=httpx.MockTransport(neighbour)))


async def test_a_call_carries_our_own_token_and_it_is_kept() -> None:
    neighbour = Neighbour(200)
    ours = clients(neighbour)
    for _ in range(3):
        await ours.get("supplier", "/v1/suppliers", ids=["a", "b"])
    assert neighbour.tokens_granted == 1
    assert neighbour.asked[0].headers["authorization"].startswith("Bearer ey")
    assert str(neighbour.asked[0].url) == "http://supplier/v1/suppliers?ids=a&ids=b"


@pytest.mark.parametrize("fault", [503, 502, httpx.ConnectError("away"), httpx.ReadTimeout("slow")])
async def test_a_passing_fault_is_tried_again(fault: Any) -> None:
    neighbour = Neighbour(fault, fault, 200)
    assert await clients(neighbour).get("supplier", "/v1/suppliers/1") == {"asked": 3}


async def test_a_post_tried_again_keeps_its_idempotency_key() -> None:
    neighbour = Neighbour(httpx.ReadTimeout("slow"), 201)
    await clients(neighbour).post("supplier", "/v1/suppliers", {"name": "x"}, idempotency_key="k1")
    assert [request.headers["idempotency-key"] for request in neighbour.asked] == ["k1", "k1"]


async def test_a_neighbour_that_stays_away_is_said_and_no_longer_hammered() -> None:
    neighbour = Neighbour(503)
    ours = clients(neighbour)
    for _ in range(6):
        with pytest.raises(Unavailable):
            await ours.get("supplier", "/v1/suppliers/1")
    assert len(neighbour.asked) == 5  # the circuit opened after five failures


async def test_what_is_not_there_is_none_and_a_refusal_is_an_error() -> None:
    assert await clients(Neighbour(404)).get("supplier", "/v1/suppliers/1") is None
    with pytest.raises(httpx.HTTPStatusError):
        await clients(Neighbour(409)).get("supplier", "/v1/suppliers/1")


async def test_a_token_that_is_no_longer_taken_is_renewed() -> None:
    neighbour = Neighbour(200, 401, 200)
    ours = clients(neighbour)
    await ours.get("supplier", "/v1/suppliers/1")
    assert await ours.get("supplier", "/v1/suppliers/1") == {"asked": 3}
    assert neighbour.tokens_granted == 2


async def test_a_lasting_401_is_not_called_away() -> None:
    with pytest.raises(Unavailable, match="supplier-service refuses our token"):
        await clients(Neighbour(401)).get("supplier", "/v1/suppliers/1")


async def test_an_issuer_that_is_away_is_not_the_neighbours_fault() -> None:
    neighbour = Neighbour(200)
    neighbour.issuer_answers = httpx.Response(503)
    ours = clients(neighbour)
    for _ in range(2):
        with pytest.raises(Unavailable, match="identity provider"):
            await ours.get("supplier", "/v1/suppliers/1")
    neighbour.issuer_answers = None
    assert await ours.get("supplier", "/v1/suppliers/1") == {"asked": 1}  # its circuit stayed closed


async def test_a_token_that_does_not_say_how_long_it_lives_is_used() -> None:
    """`expires_in` is recommended, not required (RFC 6749 §5.1)."""
    neighbour = Neighbour(200)
    neighbour.says_how_long = False
    ours = clients(neighbour)
    for _ in range(2):
        await ours.get("supplier", "/v1/suppliers/1")
    assert neighbour.tokens_granted == 1
