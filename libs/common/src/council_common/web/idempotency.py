"""Idempotency keys: the first result is replayed, a changed body is refused, racing posts make one thing.

The key commits with the fact it guards. A loser of a race waits for the winner at the unique key.
Follows draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.at_once import AtOnce, NeedsTransaction
from council_common.database.row_writes import Rows
from council_common.database.sessions import fetch_row
from council_common.database.tables import idempotency_key
from council_common.errors import BusinessError, FieldError, Malformed, Unavailable
from council_common.web.dependencies import SessionDep, authorise, caller_of, scopes_of

KEPT_HEADERS = ("location", "etag")

# Driver statements: every act makes two of them.
_CLAIM = """
INSERT INTO idempotency_key (caller, key, request_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING key
"""
_ANSWER = "UPDATE idempotency_key SET status = $3, headers = $4, body = $5 WHERE caller = $1 AND key = $2"
_CLAIM_ANSWERED = """
INSERT INTO idempotency_key (caller, key, request_hash, status, headers, body) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING RETURNING key
"""
_READ = "SELECT request_hash, status, headers, body FROM idempotency_key WHERE caller = $1 AND key = $2"
_GIVE_BACK = "DELETE FROM idempotency_key WHERE caller = $1 AND key = $2"


class KeyReused(Malformed):
    """The same key came with another request."""

    code = "idempotency-key-reused"


class Replay(Exception):
    """The first result of this key, to be answered again."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """A key as its caller sent it, and the hash of what was asked under it."""

    caller: str
    key: str
    request_hash: bytes


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Chosen by the caller and kept seven days: the same request under it gets the same answer again.",
    ),
]


async def request_hash_of(request: Request) -> bytes:
    """What was asked under a key: method, address and body."""
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
    return hashlib.sha256(asked).digest()


def replay_of(stored: Mapping[Any, Any], request_hash: bytes) -> Replay:
    """The answer stored under a key, to be raised. Raises KeyReused when the key came with another request.

    `stored` has request_hash, status, headers (a mapping or its JSON) and body.
    """
    if bytes(stored["request_hash"]) != request_hash:
        raise KeyReused(
            "This Idempotency-Key was used before with another request.",
            errors=[FieldError("Idempotency-Key", "used before with another request", "a new key")],
        )
    headers = stored["headers"] or {}
    if isinstance(headers, str):
        headers = json.loads(headers)
    kept = {**headers, "content-type": "application/json", "idempotency-replayed": "true"}
    return Replay(Response(stored["body"], status_code=stored["status"], headers=kept))


async def key_claim(request: Request, idempotency_key_header: IdempotencyKey = None) -> KeyClaim | None:
    """The request's Idempotency-Key, if it has one."""
    if idempotency_key_header is None:
        return None
    caller = await caller_of(request)
    claim = KeyClaim(caller.subject, idempotency_key_header, await request_hash_of(request))
    request.state.asked_under = claim
    return claim


ClaimDep = Annotated[KeyClaim | None, Depends(key_claim)]


async def claim_key(request: Request, session: SessionDep, claim: ClaimDep) -> None:
    """Claim the request's key before anything is done under it. Raises Replay and KeyReused."""
    if claim is None:
        return
    if await fetch_row(session, _CLAIM, claim.caller, claim.key, claim.request_hash) is None:
        raise await stored_replay(session, claim)
    request.state.idempotency_claim = claim


async def stored_replay(session: AsyncSession, claim: KeyClaim) -> Replay:
    """The answer stored under a key that was claimed before, to be raised. Raises KeyReused."""
    stored = await fetch_row(session, _READ, claim.caller, claim.key)
    if stored is None:
        raise Unavailable("This Idempotency-Key was given back a moment ago; please try again.")
    return replay_of(stored, claim.request_hash)


async def store_answer(
    session: AsyncSession, claim: KeyClaim | None, *, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Claim a key together with its answer, where no claim went before.

    Raises Replay when another request claimed the key first, KeyReused when it was a different one.
    """
    if claim is None:
        return
    answer = (status, _kept(headers), body)
    if await fetch_row(session, _CLAIM_ANSWERED, claim.caller, claim.key, claim.request_hash, *answer) is None:
        raise await stored_replay(session, claim)


async def give_back(session: AsyncSession, claim: KeyClaim | None) -> None:
    """Give back a key claimed in this transaction: the answer stored with it turned out to be another."""
    if claim is not None:
        await fetch_row(session, _GIVE_BACK, claim.caller, claim.key)


def _kept(headers: Mapping[str, str]) -> str:
    return json.dumps({name: headers[name] for name in KEPT_HEADERS if name in headers})


Idempotent = Depends(claim_key, scope="function")
"""Put into a creating route's `dependencies`; its router must have `route_class=TransactionalRoute`."""


class TransactionalRoute(APIRoute):
    """A route whose answer is stored with its idempotency key, together with the facts that it answers.

    Its caller is authorised before anything else is looked at: a stored answer is for those who might ask for it.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        scopes = sorted(scopes_of(self.dependant))

        async def answer_and_store(request: Request) -> Response:
            await authorise(request, scopes)
            try:
                response = await answer(request)
                if (at_once := _at_once(request)) is not None:
                    await at_once.write(_answer_row(request, response))
                    return response
            except (NeedsTransaction, BusinessError):
                if _at_once(request) is None:
                    raise
                request.state.needs_transaction = True
                response = await answer(request)
            claim: KeyClaim | None = getattr(request.state, "idempotency_claim", None)
            if claim is not None:
                given = (response.status_code, _kept(response.headers), bytes(response.body))
                await fetch_row(request.state.session, _ANSWER, claim.caller, claim.key, *given)
            return response

        return answer_and_store


def needs_transaction(request: Request) -> bool:
    """Whether an act that was tried at once has to be done in a transaction (database/at_once.py)."""
    return bool(getattr(request.state, "needs_transaction", False))


def _at_once(request: Request) -> AtOnce | None:
    at_once: AtOnce | None = getattr(request.state, "at_once", None)
    return None if needs_transaction(request) else at_once


def _answer_row(request: Request, response: Response) -> Rows | None:
    claim: KeyClaim | None = getattr(request.state, "asked_under", None)
    if claim is None:
        return None
    answer = (claim.caller, claim.key, claim.request_hash, response.status_code, _kept(response.headers))
    columns = ("caller", "key", "request_hash", "status", "headers", "body")
    return Rows(idempotency_key, columns, [(*answer, bytes(response.body))])


async def answer_replay(_: Request, replay: Exception) -> Response:
    """Exception handler: the stored answer, as it was."""
    if not isinstance(replay, Replay):
        raise replay
    return replay.response


async def purge_keys(session: AsyncSession, *, before: datetime) -> None:
    """Forget keys older than their retention."""
    await session.execute(delete(idempotency_key).where(idempotency_key.c.created_at < before))
