"""Rebates over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from council_common.service.api import resource_router
from council_common.web.resource_routes import export_route, history_route, list_route, read_route
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.agreements.store import terms_of
from rebate_service.rebates.lists import RebateList
from rebate_service.rebates.schemas import ProvedRebateOut, RebateOut, prove
from rebate_service.rebates.tables import Rebate

router = resource_router("rebates")


async def _proved(session: AsyncSession, rebates: Sequence[Any]) -> list[ProvedRebateOut]:
    """Rebates with their proof: terms, what each VAT rate earned, the arithmetic in words."""
    answers = []
    for rebate in rebates:
        answer = ProvedRebateOut.of(rebate)
        if rebate.agreement_id is not None:
            answer.proof = prove(rebate, await terms_of(session, rebate.agreement_id, rebate.agreement_version))
        answers.append(answer)
    return answers


list_route(router, RebateList, RebateOut, scope="rebates:read")
export_route(router, RebateList, scope="rebates:read")
read_route(router, ProvedRebateOut, of=Rebate, scope="rebates:read", show=_proved)
history_route(router, of=Rebate, scope="rebates:read")
