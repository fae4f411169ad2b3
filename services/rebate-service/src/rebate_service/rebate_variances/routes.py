"""/v1/rebate-variances"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import Now, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery
from council_common.web.preconditions import etag
from fastapi import Depends, Response

from rebate_service.rebate_variances import store, usecases
from rebate_service.rebate_variances.rules import VarianceStatus
from rebate_service.rebate_variances.schemas import ResolutionIn, VarianceOut
from rebate_service.rebates.rules import VarianceCause

router = resource_router("rebate-variances")

Reader = Annotated[Actor, requires("rebates:read")]


@router.get("")
async def list_variances(
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Reader,
    cause: VarianceCause | None = None,
    status: VarianceStatus | None = None,
    supplier_id: UUID | None = None,
) -> Page[VarianceOut]:
    """Variances, newest first."""
    variances, cursor = await store.page_of_variances(
        session, page, cause=cause, status=status, supplier_id=supplier_id
    )
    return Page(items=[VarianceOut.of(variance) for variance in variances], next=cursor)


@router.get("/{variance_id}")
async def get(variance_id: UUID, session: SessionDep, response: Response, _: Reader) -> VarianceOut:
    """One variance."""
    variance = await store.get_variance(session, variance_id)
    response.headers["etag"] = etag(variance.version)
    return VarianceOut.of(variance)


@router.post("/{variance_id}/resolutions", status_code=201, dependencies=[Idempotent])
async def resolve(
    variance_id: UUID,
    resolution: ResolutionIn,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("rebates:write")],
) -> VarianceOut:
    """Resolve a variance and record what it came down to."""
    variance = await usecases.resolve_variance(
        session, variance_id, resolution=resolution.resolution, note=resolution.note, by=by, at=now
    )
    return VarianceOut.of(variance)


@router.get("/{variance_id}/history")
async def history(variance_id: UUID, session: SessionDep, _: Reader) -> list[ChangeOut]:
    """Every change of a variance after it was found: who, when and why."""
    variance = await store.get_variance(session, variance_id)
    return await history_of(session, variance.id)
