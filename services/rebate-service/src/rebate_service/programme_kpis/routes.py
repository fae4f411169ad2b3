"""/v1/programme-kpis"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import SessionDep, requires
from council_common.web.pages import MAX_LIMIT
from fastapi import Query

from rebate_service.programme_kpis.rules import Breakdown
from rebate_service.programme_kpis.schemas import ProgrammeOut
from rebate_service.programme_kpis.usecases import report

router = resource_router("programme-kpis")


@router.get("")
async def get(
    *,
    session: SessionDep,
    _: Annotated[Actor, requires("rebates:read")],
    first: Annotated[date, Query(alias="from", description="First day: payments by the day their file was sent.")],
    last: Annotated[date, Query(alias="to", description="Last day, included.")],
    by: Breakdown = Breakdown.TOTAL,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Suppliers on a page.")] = MAX_LIMIT,
    cursor: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
) -> ProgrammeOut:
    """Expected against earned against deducted against missed; days to pay; share paid by the target day."""
    return await report(session, by, first=first, last=last, limit=limit, cursor=cursor)
