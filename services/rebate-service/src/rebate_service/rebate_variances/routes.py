"""Variances over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.resource_routes import reading_routes

from rebate_service.rebate_variances.lists import VarianceList
from rebate_service.rebate_variances.schemas import ResolutionIn, VarianceOut
from rebate_service.rebate_variances.tables import RebateVariance
from rebate_service.rebate_variances.usecases import resolve_variance

router = resource_router("rebate-variances")

reading_routes(router, VarianceList, VarianceOut, of=RebateVariance, scope="rebates:read")


@router.post("/{rebate_variance_id}/resolutions", status_code=201)
async def resolve(
    rebate_variance_id: UUID, resolution: ResolutionIn, act: Annotated[Act, acting("rebates:write")]
) -> VarianceOut:
    """Resolve a variance and record what it came down to."""
    variance = await resolve_variance(
        act.session,
        rebate_variance_id,
        resolution=resolution.resolution,
        note=resolution.note,
        by=act.by,
        at=act.at,
    )
    act.answers(f"{router.prefix}/{variance.id}", variance.version)
    return VarianceOut.of(variance)
