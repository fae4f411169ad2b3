"""An identity provider for tests: real keys, real discovery and JWKS, served in memory."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from jwt.utils import base64url_encode

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
        """A token as Keycloak makes them; two names of one role are two people, two roles have a blank between them."""
        body = self._claims(role, name or role) | claims
        return jwt.encode(body, self._key, algorithm="ES256", headers={"kid": self._key_id})

    def forged(self, **claims: Any) -> str:
        """A token whose claims no library would make."""
        return self.signed(json.dumps(self._claims("auditor", "auditor") | claims).encode())

    def signed(self, payload: bytes, *, header: bytes | None = None) -> str:
        """Any bytes with our signature."""
        header = header or json.dumps({"alg": "ES256", "kid": self._key_id, "typ": "JWT"}).encode()
        message = b".".join(base64url_encode(part) for part in (header, payload))
        algorithm = ECAlgorithm(ECAlgorithm.SHA256)
        signature = algorithm.sign(message, self._key)
        return b".".join((message, base64url_encode(signature))).decode()

    def _claims(self, role: str, name: str) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(uuid5(NAMESPACE_URL, f"{ISSUER}/{name}")),
            "iat": now,
            "exp": now + 3600,
            "preferred_username": name,
            "resource_access": {AUDIENCE: {"roles": role.split()}},
        }

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
