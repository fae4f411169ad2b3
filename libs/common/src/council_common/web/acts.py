"""An act over HTTP: who does it, when, in which transaction, and under which idempotency key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, cast

from fastapi import Depends, Request, Response, Security, params
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.clock import london_date
from council_common.database.at_once import AtOnce
from council_common.identity.actor import Actor
from council_common.runtime.service_runtime import Runtime
from council_common.web.dependencies import Now, SessionDep, allowed, runtime_of
from council_common.web.idempotency import (
    ClaimDep,
    IdempotencyKey,
    Idempotent,
    KeyClaim,
    claim_key,
    key_claim,
    needs_transaction,
)
from council_common.web.preconditions import etag
from council_common.web.source_systems import Speaker


@dataclass(frozen=True, slots=True)
class Act:
    """What the route of an act needs besides its body: `act: Annotated[Act, acting("invoices:approve")]`."""

    session: AsyncSession
    by: Actor
    at: datetime
    response: Response
    runtime: Runtime

    @property
    def sources(self) -> Speaker:
        """The caller as one who records under the names of source systems."""
        return Speaker(self.runtime, self.by, self.at, self.session)

    @property
    def today(self) -> date:
        """The date of the act, in London."""
        return london_date(self.at)

    def answers(self, location: str, version: int, *, new: bool = True) -> None:
        """Say where the thing is (RFC 9110 §10.2.2) and which version it has; 200 where it was there before."""
        self.response.headers["location"] = location
        self.response.headers["etag"] = etag(version)
        if not new:
            self.response.status_code = 200


async def _act(
    request: Request,
    session: SessionDep,
    by: Annotated[Actor, Depends(allowed)],
    at: Now,
    response: Response,
    _: Annotated[None, Idempotent],
) -> Act:
    return Act(session, by, at, response, runtime_of(request))


async def _act_at_once(
    request: Request, response: Response, by: Annotated[Actor, Depends(allowed)], claim: ClaimDep
) -> AsyncIterator[Act]:
    """All in one: FastAPI takes some 20 µs for each dependency, and this is the hot path of everything."""
    runtime = runtime_of(request)
    at = runtime.clock()
    if not needs_transaction(request):
        request.state.at_once = AtOnce(runtime.engine)
        yield Act(cast("AsyncSession", request.state.at_once), by, at, response, runtime)
        return
    async with runtime.sessions.begin() as session:
        request.state.session = session
        await claim_key(request, session, claim)
        yield Act(session, by, at, response, runtime)


@dataclass(frozen=True, slots=True)
class Submission:
    """What a route needs that stores what it is sent by statements of its own, the key's among them."""

    runtime: Runtime
    by: Actor
    at: datetime
    claim: KeyClaim | None

    @property
    def sources(self) -> Speaker:
        """The caller as one who records under the names of source systems."""
        return Speaker(self.runtime, self.by, self.at)


async def _submission(
    request: Request, by: Annotated[Actor, Depends(allowed)], key: IdempotencyKey = None
) -> Submission:
    """All in one, as above."""
    runtime = runtime_of(request)
    return Submission(runtime, by, runtime.clock(), await key_claim(request, key))


def submitting(scope: str) -> Submission:
    """A submission that needs a scope: `sent: Annotated[Submission, submitting("invoices:write")]`."""
    submission: Submission = Security(_submission, scopes=[scope])
    return submission


def acting_at_once(scope: str) -> Act:
    """`acting`, for a use case that reads one aggregate and records one set of facts about it: two statements in all.

    Its session takes `lock_row` (or one `fetch_row`) and one `record`. Anything else, a refusal, a key that came before
    or another request that was quicker, and the route runs again in a transaction, where every lock is a lock.
    """
    # Function scope, as a session's: the transaction commits before the answer leaves.
    return cast("Act", params.Security(_act_at_once, scopes=[scope], scope="function"))


def acting(scope: str) -> Act:
    """An act that needs a scope, once for each Idempotency-Key of its caller."""
    act: Act = Security(_act, scopes=[scope])
    return act
