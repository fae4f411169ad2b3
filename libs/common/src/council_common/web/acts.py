"""An act over HTTP: who does it, when, in which transaction, and under which idempotency key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Response, Security
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.clock import london_date
from council_common.identity.actor import Actor
from council_common.web.dependencies import Now, SessionDep, allowed
from council_common.web.idempotency import Idempotent
from council_common.web.preconditions import etag


@dataclass(frozen=True, slots=True)
class Act:
    """What the route of an act needs besides its body: `act: Annotated[Act, acting("invoices:approve")]`."""

    session: AsyncSession
    by: Actor
    at: datetime
    response: Response

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
    session: SessionDep,
    by: Annotated[Actor, Depends(allowed)],
    at: Now,
    response: Response,
    _: Annotated[None, Idempotent],
) -> Act:
    return Act(session, by, at, response)


def acting(scope: str) -> Act:
    """An act that needs a scope, once for each Idempotency-Key of its caller."""
    act: Act = Security(_act, scopes=[scope])
    return act
