"""Idempotency keys of the hot path: claimed in the statement that stores the fact, with the answer in it.

The same rules and the same table as `council_common.web.idempotency`, in one statement instead of three.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from council_common.database.sessions import driver
from council_common.identity.actor import Actor
from council_common.web.dependencies import authenticated
from council_common.web.idempotency import KeyReused, Replay
from fastapi import Depends, Header, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

_CLAIM = """
INSERT INTO idempotency_key (caller, key, request_hash, status, headers, body) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
"""
_READ = "SELECT request_hash, status, headers, body FROM idempotency_key WHERE caller = $1 AND key = $2"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Chosen by the caller; the same key gives the same answer, once and for all.",
    ),
]


@dataclass
class KeyClaim:
    """A key as its caller sent it, and what was asked under it. `headers` (JSON) go with the stored answer."""

    caller: str
    key: str
    request_hash: bytes
    headers: str = field(default="{}")


async def key_claim(
    request: Request, actor: Annotated[Actor, Depends(authenticated)], key: IdempotencyKey = None
) -> KeyClaim | None:
    """The request's Idempotency-Key, if it has one."""
    if key is None:
        return None
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
    return KeyClaim(actor.subject, key, hashlib.sha256(asked).digest())


ClaimDep = Annotated[KeyClaim | None, Depends(key_claim)]


def replay(claim: KeyClaim, stored: Mapping[str, Any]) -> Replay:
    """The answer stored under a key. Raises KeyReused when the key came with another request."""
    if bytes(stored["request_hash"]) != claim.request_hash:
        raise KeyReused("This Idempotency-Key was used before with another request; choose a new key.")
    headers = stored["headers"] or {}
    if isinstance(headers, str):
        headers = json.loads(headers)
    kept = {**headers, "content-type": "application/json", "idempotency-replayed": "true"}
    return Replay(Response(stored["body"], status_code=stored["status"], headers=kept))


async def stored_replay(session: AsyncSession, claim: KeyClaim) -> Replay:
    """The answer that somebody stored under this key a moment ago."""
    return replay(claim, await (await driver(session)).fetchrow(_READ, claim.caller, claim.key))


async def store_answer(session: AsyncSession, claim: KeyClaim | None, *, status: int, body: bytes) -> None:
    """Remember an answer that stored nothing else; raises Replay when another request claimed the key first."""
    if claim is None:
        return
    told = await (await driver(session)).execute(
        _CLAIM, claim.caller, claim.key, claim.request_hash, status, claim.headers, body
    )
    if told == "INSERT 0 0":
        raise await stored_replay(session, claim)


async def forget(session: AsyncSession, claim: KeyClaim | None) -> None:
    """Give back a key claimed in this transaction: the answer stored with it turned out to be another."""
    if claim is not None:
        await (await driver(session)).execute(
            "DELETE FROM idempotency_key WHERE caller = $1 AND key = $2", claim.caller, claim.key
        )
