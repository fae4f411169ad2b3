import asyncio
import base64
import json
import time
from typing import Any

import httpx
import jwt
import pytest
from council_common.errors import Unauthenticated, Unavailable
from council_common.identity import tokens
from council_common.identity.roles import ROLES
from council_common.identity.tokens import TokenVerifier
from council_common.testing.issuer import AUDIENCE, ISSUER, TestIssuer
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm


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
        issuer.token("x", resource_access={}, roles=["auditor"], scp="openid", aud=["other", AUDIENCE])
    )
    assert actor.scopes == ROLES["auditor"]


async def test_an_applications_scopes_narrow_and_never_give(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    """`scp` says what the application may do for whoever uses it (Entra ID): not what this person may."""
    actor = await verifier.verify(issuer.token("auditor", scp="bank-accounts:approve invoices:read"))
    assert actor.scopes == {"invoices:read"}
    assert (await verifier.verify(issuer.token("nobody", scope="bank-accounts:approve"))).scopes == frozenset()


async def test_one_person_is_one_subject_in_every_application(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    """Entra ID gives a person another `sub` in each application; `oid` stays."""
    person = "0f0b6a1e-3f5c-4a8e-8f6c-5d3a2b1c0d9e"
    subjects = {(await verifier.verify(issuer.token("auditor", sub=sub, oid=person))).subject for sub in ("a1", "b2")}
    assert subjects == {person}


@pytest.mark.parametrize("role", ["erp", "service", "supplier_registrar"])
def test_no_system_approves(role: str) -> None:
    assert not {scope for scope in ROLES[role] if scope.endswith(":approve")}


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
    good = [issuer.token("auditor", f"person-{number}") for number in range(50)]
    await asyncio.gather(*(verifier.verify(token) for token in good))
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


class Provider:
    """An identity provider over HTTP whose answers a test decides; counts how often it is asked."""

    def __init__(self, issuer: str = ISSUER, *more_keys: dict[str, Any]) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.issuer = issuer
        self.keys = [{**ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True), "kid": "k"}, *more_keys]
        self.asked = 0
        self.away = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.away:
            raise httpx.ConnectTimeout("away")
        if request.url.path.endswith("/.well-known/openid-configuration"):
            return httpx.Response(200, json={"issuer": self.issuer, "jwks_uri": "https://keys.example/keys"})
        return httpx.Response(200, json={"keys": self.keys})

    def verifier(self) -> TokenVerifier:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return TokenVerifier(issuer=self.issuer, audience=AUDIENCE, client=client)

    def token(self, name: str = "b.okafor", *, kid: str = "k") -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": AUDIENCE, "sub": name, "iat": now, "exp": now + 600, "roles": ["auditor"]}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": kid})


@pytest.mark.parametrize("issuer", ["https://sts.windows.net/7a6b0c1d/", "https://council.eu.auth0.example/"])
async def test_an_issuer_whose_name_ends_in_a_slash_is_itself(issuer: str) -> None:
    provider = Provider(issuer)
    assert (await provider.verifier().verify(provider.token())).roles == {"auditor"}


async def test_a_key_we_cannot_read_leaves_the_others_alone() -> None:
    x25519 = {"kty": "OKP", "crv": "X25519", "x": "AAAA", "kid": "x"}
    encrypting = {"kty": "RSA", "alg": "RSA-OAEP", "n": "AQAB", "e": "AQAB", "kid": "e"}
    provider = Provider(ISSUER, x25519, encrypting, {"kty": "EC", "kid": "half"})
    assert (await provider.verifier().verify(provider.token())).roles == {"auditor"}


async def test_an_issuer_that_is_away_is_asked_once_for_all_who_wait() -> None:
    provider = Provider()
    provider.away = True
    verifier = provider.verifier()
    answers = await asyncio.gather(
        *(verifier.verify(provider.token(f"person-{number}")) for number in range(50)), return_exceptions=True
    )
    assert {type(answer) for answer in answers} == {Unavailable}
    assert provider.asked == 1


async def test_a_key_that_was_taken_back_is_refused_after_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Provider()
    verifier = provider.verifier()
    await verifier.verify(provider.token())
    provider.keys = []
    monkeypatch.setattr(tokens, "REFRESH_SECONDS", 0.0)
    monkeypatch.setattr(tokens, "COOL_DOWN_SECONDS", 0.0)
    with pytest.raises(Unauthenticated):
        await verifier.verify(provider.token("somebody else"))
