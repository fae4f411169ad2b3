import asyncio
import base64
import json
import time
from typing import Any

import httpx
import jwt
import pytest
from council_common.errors import Unauthenticated, Unavailable
from council_common.identity.roles import ROLES
from council_common.identity.tokens import TokenVerifier
from council_common.testing.issuer import AUDIENCE, ISSUER, TestIssuer


@pytest.fixture
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture
def verifier(issuer: TestIssuer) -> TokenVerifier:
    return TokenVerifier(issuer=ISSUER, audience=AUDIENCE, client=issuer.client())


async def test_a_good_token_says_who_and_what(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    actor = await verifier.verify(issuer.token("auditor", "b.okafor"))
    assert (actor.name, actor.roles, actor.scopes) == ("b.okafor", {"auditor"}, ROLES["auditor"])


async def test_entra_shaped_claims_work_too(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    actor = await verifier.verify(
        issuer.token("x", resource_access={}, roles=["auditor"], scp="invoices:write openid", aud=["other", AUDIENCE])
    )
    assert actor.scopes == ROLES["auditor"] | {"invoices:write"}


async def test_a_token_without_roles_has_no_rights(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    assert (await verifier.verify(issuer.token("nobody-knows-this-role"))).scopes == frozenset()


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 60},
        {"aud": "another-system"},
        {"iss": "https://evil.example"},
        {"nbf": 4_102_444_800},  # the year 2100
        {"exp": None},
        {"sub": None},
    ],
    ids=["expired", "audience", "issuer", "not-yet", "no-expiry", "no-subject"],
)
async def test_bad_claims_are_refused(issuer: TestIssuer, verifier: TokenVerifier, claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(issuer.token("auditor", **claims))


async def test_leeway_is_thirty_seconds(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    assert await verifier.verify(issuer.token("auditor", exp=int(time.time()) - 20))


async def test_forged_tokens_are_refused_before_any_network_call(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    good = issuer.token("auditor")
    _, payload, signature = good.split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "test-1"}).encode()).decode().rstrip("=")
    hmac = jwt.encode({"sub": "x"}, "secret" * 8, algorithm="HS256", headers={"kid": "test-1"})
    for forged in (f"{none}.{payload}.", f"{none}.{payload}.{signature}", hmac, "rubbish", "a.b.c", "x" * 20_000):
        with pytest.raises(Unauthenticated):
            await verifier.verify(forged)
    assert issuer.fetches == 0


async def test_another_key_under_a_known_id_is_refused(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    await verifier.verify(issuer.token("auditor"))
    with pytest.raises(Unauthenticated):
        await verifier.verify(TestIssuer().token("auditor"))


async def test_cold_callers_share_one_fetch_and_unknown_ids_cool_down(
    issuer: TestIssuer, verifier: TokenVerifier
) -> None:
    tokens = [issuer.token("auditor", f"person-{number}") for number in range(50)]
    await asyncio.gather(*(verifier.verify(token) for token in tokens))
    assert issuer.fetches == 2  # discovery and keys, once
    key = issuer._key
    for number in range(50):
        forged = jwt.encode({"sub": "x"}, key, algorithm="ES256", headers={"kid": f"unknown-{number}"})
        with pytest.raises(Unauthenticated):
            await verifier.verify(forged)
    assert issuer.fetches == 2


async def test_known_keys_serve_on_while_the_issuer_is_away(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    await verifier.verify(issuer.token("auditor"))
    verifier._keys._client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(503)))
    assert await verifier.verify(issuer.token("auditor", "somebody else"))
    cold = TokenVerifier(issuer=ISSUER, audience=AUDIENCE, client=verifier._keys._client)
    with pytest.raises(Unavailable):
        await cold.verify(issuer.token("auditor"))
