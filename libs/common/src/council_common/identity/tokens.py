"""Bearer tokens: OIDC access tokens verified against the issuer's published keys (RFC 9068, OIDC Discovery)."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from typing import Any

import httpx
import jwt
from jwt import PyJWK

from council_common.errors import Unauthenticated, Unavailable
from council_common.identity.actor import Actor
from council_common.identity.roles import scopes_of
from council_common.observability.logs import get_logger

log = get_logger()

ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")
LEEWAY_SECONDS = 30
COOL_DOWN_SECONDS = 2.0
REMEMBER_SECONDS = 30.0
REMEMBER_TOKENS = 2000
MAX_TOKEN_BYTES = 16 * 1024


class IssuerKeys:
    """The issuer's signing keys: found by discovery, cached, refreshed on an unknown key id after a cool-down.

    Known keys are served on while the issuer is away; many cold callers make one fetch.
    """

    def __init__(self, issuer: str, client: httpx.AsyncClient) -> None:
        self._issuer = issuer.rstrip("/")
        self._client = client
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def find(self, key_id: str) -> PyJWK:
        """The key of an id; raises Unauthenticated when the issuer has none, Unavailable when it cannot be asked."""
        if key_id not in self._keys:
            await self._refresh(key_id)
        try:
            return self._keys[key_id]
        except KeyError:
            raise Unauthenticated("The token was signed with a key the issuer does not publish.") from None

    async def _refresh(self, key_id: str) -> None:
        async with self._fetching:
            if key_id in self._keys or time.monotonic() - self._fetched_at < COOL_DOWN_SECONDS:
                return
            try:
                discovery = await self._client.get(f"{self._issuer}/.well-known/openid-configuration")
                document = discovery.raise_for_status().json()
                if document["issuer"].rstrip("/") != self._issuer:
                    raise Unavailable("The identity provider names itself otherwise than configured.")
                published = (await self._client.get(document["jwks_uri"])).raise_for_status().json()
            except (httpx.HTTPError, KeyError, ValueError) as fault:
                log.warning("issuer_away", cause=type(fault).__name__)
                raise Unavailable("The identity provider cannot be asked for its keys at the moment.") from fault
            self._fetched_at = time.monotonic()
            self._keys = {key["kid"]: PyJWK(key) for key in published["keys"] if _signs(key)}


def _signs(key: dict[str, Any]) -> bool:
    return "kid" in key and key.get("use", "sig") == "sig" and key.get("kty") in {"EC", "RSA", "OKP"}


class TokenVerifier:
    """Turns a bearer token into an Actor, or raises Unauthenticated."""

    def __init__(self, *, issuer: str, audience: str, client: httpx.AsyncClient) -> None:
        self._issuer = issuer.rstrip("/")
        self._audience = audience
        self._keys = IssuerKeys(issuer, client)
        self._known: OrderedDict[bytes, tuple[float, Actor]] = OrderedDict()

    async def verify(self, token: str) -> Actor:
        """Check signature, algorithm, issuer, audience and times (30 s leeway); read roles and scopes.

        A token seen in the last 30 seconds is not checked again.
        """
        if len(token) > MAX_TOKEN_BYTES:
            raise Unauthenticated("The token is too long.")
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        claims = await self._check(token)
        actor = self._actor(claims)
        lives = min(REMEMBER_SECONDS, claims["exp"] + LEEWAY_SECONDS - time.time())
        self._known[digest] = (time.monotonic() + lives, actor)
        while len(self._known) > REMEMBER_TOKENS:
            self._known.popitem(last=False)
        return actor

    async def _check(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            # Refused before any network call: "none", HS256 and whatever is not on the list.
            if header.get("alg") not in ALGORITHMS or not isinstance(header.get("kid"), str):
                raise Unauthenticated("The token is not signed with an accepted algorithm and a named key.")
            key = await self._keys.find(header["kid"])
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("The token has expired.") from None
        except jwt.InvalidTokenError as wrong:
            raise Unauthenticated(f"The token is not valid: {type(wrong).__name__}.") from None
        if not isinstance(claims["exp"], int | float):
            raise Unauthenticated("The token's expiry is not a number.")
        return claims

    def _actor(self, claims: dict[str, Any]) -> Actor:
        """Roles and scopes as Keycloak (resource_access, scope) and Microsoft Entra ID (roles, scp) carry them."""
        client_roles = claims.get("resource_access", {}).get(self._audience, {}).get("roles", [])
        roles = frozenset([*client_roles, *claims.get("roles", [])])
        named = f"{claims.get('scope', '')} {claims.get('scp', '')}".split()
        scopes = scopes_of(roles) | {scope for scope in named if ":" in scope}
        name = claims.get("preferred_username") or claims.get("client_id") or claims["sub"]
        return Actor(subject=claims["sub"], name=name, scopes=scopes, roles=roles)
