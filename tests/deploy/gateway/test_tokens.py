import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec


def refused(answer) -> None:
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith('Bearer realm="council-payments"')
    body = answer.json()
    assert body.pop("request_id") == answer.headers["x-request-id"]
    assert body == {
        "type": "urn:council-payments:problem:unauthenticated",
        "title": "Unauthorized",
        "status": 401,
        "code": "unauthenticated",
        "detail": "A valid bearer token is required.",
        "instance": "/v1/invoices",
    }


def test_without_a_token_nobody_passes(gateway):
    refused(gateway("GET", "/v1/invoices?supplier=secret", token=None))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-service"},
        {"aud": None},
        {"iss": "https://elsewhere.example"},
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"nbf": 4_102_444_800},  # the year 2100
    ],
    ids=lambda claims: "-".join(f"{name}" for name in claims),
)
def test_a_bad_claim_is_unauthenticated(gateway, upstreams, claims):
    refused(gateway("GET", "/v1/invoices", token=upstreams.issuer.token(**claims)))


def test_another_key_is_unauthenticated(gateway, upstreams):
    refused(gateway("GET", "/v1/invoices", token=upstreams.issuer.token(key=ec.generate_private_key(ec.SECP256R1()))))


def test_an_unsigned_token_is_unauthenticated(gateway, upstreams):
    claims = {"iss": upstreams.issuer.url, "aud": "council-payments", "exp": int(time.time()) + 600}
    refused(gateway("GET", "/v1/invoices", token=jwt.encode(claims, None, algorithm="none")))


def test_a_token_in_the_query_string_is_not_read(gateway, upstreams):
    refused(gateway("GET", f"/v1/invoices?access_token={upstreams.issuer.token()}", token=None))


def test_one_of_several_audiences_is_enough(gateway, upstreams):
    token = upstreams.issuer.token(aud=["account", "council-payments"])
    assert gateway("GET", "/v1/invoices", token=token).status_code == 200


def test_the_service_gets_the_token_to_verify_it_again(gateway, upstreams):
    token = upstreams.issuer.token()
    assert ["authorization", f"Bearer {token}"] in gateway("GET", "/v1/invoices", token=token).json()["headers"]
