"""Bearer tokens: OIDC access tokens verified against the issuer's published keys (RFC 9068, OIDC Discovery)."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import jwt
from jwt import PyJWK

from council_common.errors import Unauthenticated, Unavailable
from council_common.identity.actor import Actor
from council_common.identity.claims import actor_of
from council_common.observability.logs import get_logger

log = get_logger()

ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")
LEEWAY_SECONDS = 30
COOL_DOWN_SECONDS = 2.0
REFRESH_SECONDS = 300.0
REMEMBER_SECONDS = 30.0
REMEMBER_TOKENS = 2000
MAX_TOKEN_BYTES = 16 * 1024
LATEST_SECONDS = 2**40


class IssuerKeys:
    """The issuer's signing keys: found by discovery, cached, asked for again on an unknown key id and every 5 minutes.

    A key the issuer takes back is refused from then on; while it is away, known keys are served on. It is asked at
    most once in two seconds, whether it answers or not; many cold callers make one fetch.
    """

    def __init__(self, issuer: str, client: httpx.AsyncClient) -> None:
        self._issuer = issuer
        self._client = client
        self._keys: dict[str, PyJWK] = {}
        self._asked_at = self._fetched_at = float("-inf")
        self._away = False
        self._fetching = asyncio.Lock()

    async def find(self, key_id: str) -> PyJWK:
        """The key of an id; raises Unauthenticated when the issuer has none, Unavailable when it cannot be asked."""
        if self._is_fresh(key_id):
            return self._keys[key_id]
        try:
            await self._refresh(key_id)
        except Unavailable:
            if key_id not in self._keys:
                raise
        try:
            return self._keys[key_id]
        except KeyError:
            raise Unauthenticated("The token was signed with a key the issuer does not publish.") from None

    def _is_fresh(self, key_id: str) -> bool:
        return key_id in self._keys and time.monotonic() - self._fetched_at < REFRESH_SECONDS

    async def _refresh(self, key_id: str) -> None:
        async with self._fetching:
            if self._is_fresh(key_id):
                return
            if time.monotonic() - self._asked_at < COOL_DOWN_SECONDS:
                if self._away:
                    raise _issuer_away()
                return
            self._away = True
            try:
                published = await self._published()
            except (httpx.HTTPError, KeyError, TypeError, ValueError) as fault:
                log.warning("issuer_away", cause=type(fault).__name__)
                raise _issuer_away() from fault
            finally:
                self._asked_at = time.monotonic()
            self._away = False
            self._keys, self._fetched_at = _readable(published), self._asked_at

    async def _published(self) -> list[dict[str, Any]]:
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        document = (await self._client.get(address)).raise_for_status().json()
        if document["issuer"] != self._issuer:
            raise Unavailable("The identity provider names itself otherwise than configured (OIDC_ISSUER).")
        published = (await self._client.get(document["jwks_uri"])).raise_for_status().json()
        keys: list[dict[str, Any]] = published["keys"]
        return keys


def _issuer_away() -> Unavailable:
    return Unavailable("The identity provider cannot be asked for its keys at the moment.")


def _readable(published: list[dict[str, Any]]) -> dict[str, PyJWK]:
    """The keys that sign and that we can read; one of another kind must not take the others with it."""
    keys: dict[str, PyJWK] = {}
    for key in published:
        if "kid" in key and key.get("use", "sig") == "sig" and key.get("kty") in {"EC", "RSA", "OKP"}:
            try:
                keys[key["kid"]] = PyJWK(key)
            except (jwt.PyJWKError, jwt.InvalidKeyError) as fault:
                log.warning("issuer_key_skipped", key_id=str(key["kid"]), cause=type(fault).__name__)
    return keys


class TokenVerifier:
    """Turns a bearer token into an Actor, or raises Unauthenticated."""

    def __init__(self, *, issuer: str, audience: str, client: httpx.AsyncClient) -> None:
        self._issuer = issuer
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
        actor = actor_of(claims, self._audience)
        lives = min(REMEMBER_SECONDS, claims["exp"] + LEEWAY_SECONDS - time.time())
        self._known[digest] = (time.monotonic() + lives, actor)
        while len(self._known) > REMEMBER_TOKENS:
            self._known.popitem(last=False)
        return actor

    async def _check(self, token: str) -> dict[str, Any]:
        with _refused_when_odd():
            header = jwt.get_unverified_header(token)
        # Refused before any network call: "none", HS256 and whatever is not on the list.
        if header.get("alg") not in ALGORITHMS or not isinstance(header.get("kid"), str):
            raise Unauthenticated("The token is not signed with an accepted algorithm and a named key.")
        key = await self._keys.find(header["kid"])
        with _refused_when_odd():
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        for name in ("exp", "iat", "nbf"):
            if name in claims and not _is_time(claims[name]):
                raise Unauthenticated(f"The token's {name} is not a time: a number of seconds since 1970.")
        return claims


@contextmanager
def _refused_when_odd() -> Iterator[None]:
    """Raise Unauthenticated for whatever the library cannot read: an infinite time, JSON that is too deep."""
    try:
        yield
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("The token has expired.") from None
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as wrong:
        raise Unauthenticated(f"The token is not valid: {type(wrong).__name__}.") from None


def _is_time(value: Any) -> bool:
    return type(value) in {int, float} and 0 <= value < LATEST_SECONDS
