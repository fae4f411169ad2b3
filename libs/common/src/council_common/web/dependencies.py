"""What a route asks for: a session, the time, the caller. Only this file and the worker read the clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import date, datetime
from typing import Annotated

import structlog
from fastapi import Depends, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.clock import london_date
from council_common.errors import Forbidden, Unauthenticated
from council_common.identity.actor import Actor
from council_common.runtime.service_runtime import Runtime
from council_common.web.query_models import refuse_ignored


def runtime_of(request: Request) -> Runtime:
    """The service's runtime: settings, sessions, clock, clients of other services."""
    runtime: Runtime = request.app.state.runtime
    return runtime


# Dependencies are coroutines even where nothing is awaited: FastAPI sends plain functions to a thread.
async def get_runtime(request: Request) -> Runtime:
    """The service's runtime, for a route."""
    return runtime_of(request)


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """The transaction of a request: committed before the answer leaves, rolled back on any error."""
    async with runtime_of(request).sessions.begin() as session:
        request.state.session = session
        yield session


async def get_now(request: Request) -> datetime:
    """The time of the request, UTC."""
    return runtime_of(request).clock()


async def get_today(now: Annotated[datetime, Depends(get_now)]) -> date:
    """The date of the request, in London: of the same moment as its time."""
    return london_date(now)


_bearer = HTTPBearer(auto_error=False, description="An access token of the council's identity provider")


async def caller_of(request: Request, bearer: HTTPAuthorizationCredentials | None = None) -> Actor:
    """The caller, as the bearer token proves, looked at once a request; 401 without a valid one."""
    known: Actor | None = getattr(request.state, "actor", None)
    if known is not None:
        return known
    credentials = bearer or await _bearer(request)
    if credentials is None:
        raise Unauthenticated("A bearer token is required.")
    actor = await runtime_of(request).verifier.verify(credentials.credentials)
    request.state.actor = actor
    structlog.contextvars.bind_contextvars(actor=actor.subject)
    return actor


async def authorise(
    request: Request, scopes: Collection[str], bearer: HTTPAuthorizationCredentials | None = None
) -> Actor:
    """The caller, holding every scope; 401 without a valid token, 403 without a scope.

    Each route does this before it reads, claims or answers anything (TransactionalRoute).
    """
    actor = await caller_of(request, bearer)
    missing = [scope for scope in scopes if scope not in actor.scopes]
    if missing:
        raise Forbidden(f"This needs the scope {', '.join(missing)}.", required_scopes=missing)
    return actor


async def allowed(
    request: Request,
    security_scopes: SecurityScopes,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Actor:
    """The caller, holding every scope the route names; 403 otherwise."""
    actor = await authorise(request, security_scopes.scopes, bearer)
    if request.scope["query_string"]:
        refuse_ignored(request)
    return actor


def scopes_of(dependant: Dependant) -> frozenset[str]:
    """The scopes that a route names, wherever among what it depends on."""
    inner = (scopes_of(each) for each in dependant.dependencies)
    return frozenset(dependant.own_oauth_scopes or ()).union(*inner)


def requires(scope: str) -> Actor:
    """The caller of a route that needs a scope: `by: Annotated[Actor, requires("invoices:write")]`."""
    by: Actor = Security(allowed, scopes=[scope])
    return by


# Function scope: FastAPI commits after the response has left by default: a failing commit would still answer 201.
SessionDep = Annotated[AsyncSession, Depends(get_session, scope="function")]
RuntimeDep = Annotated[Runtime, Depends(get_runtime)]
Now = Annotated[datetime, Depends(get_now)]
Today = Annotated[date, Depends(get_today)]
