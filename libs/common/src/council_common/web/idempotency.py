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
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.tables import idempotency_key
from council_common.errors import FieldError, Malformed
from council_common.identity.actor import Actor
from council_common.web.dependencies import SessionDep, authenticated

KEPT_HEADERS = ("location", "etag")


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
        description="Chosen by the caller; the same key gives the same answer, once and for all.",
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


async def key_claim(
    request: Request,
    actor: Annotated[Actor, Depends(authenticated)],
    idempotency_key_header: IdempotencyKey = None,
) -> KeyClaim | None:
    """The request's Idempotency-Key, if it has one."""
    if idempotency_key_header is None:
        return None
    return KeyClaim(actor.subject, idempotency_key_header, await request_hash_of(request))


ClaimDep = Annotated[KeyClaim | None, Depends(key_claim)]


async def _claim_key(request: Request, session: SessionDep, claim: ClaimDep) -> None:
    if claim is None:
        return
    claimed = await session.execute(
        insert(idempotency_key)
        .values(caller=claim.caller, key=claim.key, request_hash=claim.request_hash)
        .on_conflict_do_nothing()
        .returning(idempotency_key.c.key)
    )
    if claimed.scalar() is None:
        raise await stored_replay(session, claim)
    request.state.idempotency_claim = claim


async def stored_replay(session: AsyncSession, claim: KeyClaim) -> Replay:
    """The answer stored under a key that was claimed before, to be raised. Raises KeyReused."""
    found = await session.execute(
        select(idempotency_key).where(idempotency_key.c.caller == claim.caller, idempotency_key.c.key == claim.key)
    )
    return replay_of(found.mappings().one(), claim.request_hash)


async def store_answer(
    session: AsyncSession, claim: KeyClaim | None, *, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Claim a key together with its answer, where no claim went before.

    Raises Replay when another request claimed the key first, KeyReused when it was a different one.
    """
    if claim is None:
        return
    stored = await session.execute(
        insert(idempotency_key)
        .values(
            caller=claim.caller,
            key=claim.key,
            request_hash=claim.request_hash,
            status=status,
            body=body,
            headers={name: headers[name] for name in KEPT_HEADERS if name in headers},
        )
        .on_conflict_do_nothing()
        .returning(idempotency_key.c.key)
    )
    if stored.scalar() is None:
        raise await stored_replay(session, claim)


async def give_back(session: AsyncSession, claim: KeyClaim | None) -> None:
    """Give back a key claimed in this transaction: the answer stored with it turned out to be another."""
    if claim is not None:
        await session.execute(
            delete(idempotency_key).where(idempotency_key.c.caller == claim.caller, idempotency_key.c.key == claim.key)
        )


Idempotent = Depends(_claim_key, scope="function")
"""Put into a creating route's `dependencies`; its router must have `route_class=TransactionalRoute`."""


class TransactionalRoute(APIRoute):
    """A route whose answer is stored with its idempotency key, inside the request's transaction."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def answer_and_store(request: Request) -> Response:
            response = await answer(request)
            claim: KeyClaim | None = getattr(request.state, "idempotency_claim", None)
            if claim is not None:
                await _store(request.state.session, claim, response)
            return response

        return answer_and_store


async def _store(session: AsyncSession, claim: KeyClaim, response: Response) -> None:
    await session.execute(
        update(idempotency_key)
        .where(idempotency_key.c.caller == claim.caller, idempotency_key.c.key == claim.key)
        .values(
            status=response.status_code,
            body=bytes(response.body),
            headers={name: response.headers[name] for name in KEPT_HEADERS if name in response.headers},
        )
    )


async def answer_replay(_: Request, replay: Exception) -> Response:
    """Exception handler: the stored answer, as it was."""
    if not isinstance(replay, Replay):
        raise replay
    return replay.response


async def purge_keys(session: AsyncSession, *, before: datetime) -> None:
    """Forget keys older than their retention."""
    await session.execute(delete(idempotency_key).where(idempotency_key.c.created_at < before))
