"""An identity provider for tests: real keys, real discovery and JWKS, served in memory."""

from __future__ import annotations

import time
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER = "https://id.council.test"
AUDIENCE = "council-payments"


class TestIssuer:
    """Signs tokens; `client()` is an HTTP client that reaches its discovery and keys and nothing else."""

    __test__ = False

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._key_id = "test-1"
        self.fetches = 0

    def token(self, role: str, name: str | None = None, **claims: Any) -> str:
        """A token as Keycloak makes them; two names of one role are two people."""
        name = name or role
        now = int(time.time())
        body = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(uuid5(NAMESPACE_URL, f"{ISSUER}/{name}")),
            "iat": now,
            "exp": now + 3600,
            "preferred_username": name,
            "resource_access": {AUDIENCE: {"roles": [role]}},
            **claims,
        }
        return jwt.encode(body, self._key, algorithm="ES256", headers={"kid": self._key_id})

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.fetches += 1
        match request.url.path:
            case "/.well-known/openid-configuration":
                return httpx.Response(
                    200,
                    json={
                        "issuer": ISSUER,
                        "jwks_uri": f"{ISSUER}/jwks.json",
                        "token_endpoint": f"{ISSUER}/token",
                    },
                )
            case "/jwks.json":
                key = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
                return httpx.Response(200, json={"keys": [{**key, "kid": self._key_id, "use": "sig", "alg": "ES256"}]})
            case "/token":
                return httpx.Response(200, json={"access_token": self.token("service"), "expires_in": 300})
        return httpx.Response(404)
