"""Idempotency keys of the hot path: claimed in the statement that stores the fact, with the answer in it.

The same rules and the same table as `council_common.web.idempotency`, in one statement instead of three.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from council_common.database.sessions import driver
from council_common.identity.actor import Actor
from council_common.web.dependencies import authenticated
from council_common.web.idempotency import IdempotencyKey, Replay, replay_of, request_hash_of
from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

_CLAIM = """
INSERT INTO idempotency_key (caller, key, request_hash, status, headers, body) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
"""
_READ = "SELECT request_hash, status, headers, body FROM idempotency_key WHERE caller = $1 AND key = $2"


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """A key as its caller sent it, and what was asked under it."""

    caller: str
    key: str
    request_hash: bytes


async def key_claim(
    request: Request, actor: Annotated[Actor, Depends(authenticated)], key: IdempotencyKey = None
) -> KeyClaim | None:
    """The request's Idempotency-Key, if it has one."""
    if key is None:
        return None
    return KeyClaim(actor.subject, key, await request_hash_of(request))


ClaimDep = Annotated[KeyClaim | None, Depends(key_claim)]


async def stored_replay(session: AsyncSession, claim: KeyClaim) -> Replay:
    """The answer that somebody stored under this key a moment ago."""
    stored = await (await driver(session)).fetchrow(_READ, claim.caller, claim.key)
    return replay_of(stored, claim.request_hash)


async def store_answer(
    session: AsyncSession, claim: KeyClaim | None, *, status: int, headers: str, body: bytes
) -> None:
    """Remember an answer that stored nothing else, `headers` as JSON.

    Raises Replay when another request claimed the key first.
    """
    if claim is None:
        return
    told = await (await driver(session)).execute(
        _CLAIM, claim.caller, claim.key, claim.request_hash, status, headers, body
    )
    if told == "INSERT 0 0":
        raise await stored_replay(session, claim)


async def forget(session: AsyncSession, claim: KeyClaim | None) -> None:
    """Give back a key claimed in this transaction: the answer stored with it turned out to be another."""
    if claim is not None:
        await (await driver(session)).execute(
            "DELETE FROM idempotency_key WHERE caller = $1 AND key = $2", claim.caller, claim.key
        )
