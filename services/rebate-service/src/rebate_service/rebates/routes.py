"""/v1/rebates"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.csv_download import csv_download
from council_common.web.dependencies import RuntimeDep, SessionDep, requires
from council_common.web.pages import Page, PageQuery
from council_common.web.preconditions import etag
from fastapi import Depends, Response
from fastapi.responses import StreamingResponse

from rebate_service.agreements.store import terms_of
from rebate_service.rebates import store
from rebate_service.rebates.schemas import ProvedRebateOut, RebateOut, prove
from rebate_service.rebates.store import RebateFilter
from rebate_service.rebates.tables import Rebate

router = resource_router("rebates")

Reader = Annotated[Actor, requires("rebates:read")]
Wanted = Annotated[RebateFilter, Depends()]


@router.get("")
async def list_rebates(
    session: SessionDep, page: Annotated[PageQuery, Depends()], wanted: Wanted, _: Reader
) -> Page[RebateOut]:
    """Rebates, newest first; without a status those outside any agreement are left out."""
    rebates, cursor = await store.page_of_rebates(session, page, wanted)
    return Page(items=[RebateOut.of(rebate) for rebate in rebates], next=cursor)


@router.get("/export.csv", response_class=StreamingResponse, responses={200: {"content": {"text/csv": {}}}})
async def export(runtime: RuntimeDep, wanted: Wanted, _: Reader) -> StreamingResponse:
    """All rebates of a filter as CSV, oldest first."""
    return csv_download(runtime.sessions, store.exported_rebates(wanted), Rebate.id, filename="rebates.csv")


@router.get("/{rebate_id}")
async def get(rebate_id: UUID, session: SessionDep, response: Response, _: Reader) -> ProvedRebateOut:
    """One rebate with its proof: terms, what each VAT rate earned, the arithmetic in words."""
    rebate = await store.get_rebate(session, rebate_id)
    response.headers["etag"] = etag(rebate.version)
    out = ProvedRebateOut.of(rebate)
    if rebate.agreement_id is not None and rebate.agreement_version is not None:
        out.proof = prove(rebate, await terms_of(session, rebate.agreement_id, rebate.agreement_version))
    return out


@router.get("/{rebate_id}/history")
async def history(rebate_id: UUID, session: SessionDep, _: Reader) -> list[ChangeOut]:
    """Every change of a rebate: who, when and why, with the figures it made."""
    rebate = await store.get_rebate(session, rebate_id)
    return await history_of(session, rebate.id)
