"""Dunning notices over HTTP: why a debt got a notice, and why it gets none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import SessionDep, Today, requires
from council_common.web.query_models import AsAtQuery
from council_common.web.resource_routes import export_route, list_route, read_route
from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.ledger.receivables.store import numbers_of
from debt_service.recovery.dunning_procedures.store import ladders_by_id
from debt_service.recovery.dunning_runs.lists import NoticeList
from debt_service.recovery.dunning_runs.schemas import NextNoticeOut, NoticeOut
from debt_service.recovery.dunning_runs.tables import DunningNotice
from debt_service.recovery.dunning_runs.usecases import explain_next

router = resource_router("dunning-notices")
next_notice_router = resource_router("receivables")


async def _explained(session: AsyncSession, notices: Sequence[Any]) -> list[NoticeOut]:
    numbers = await numbers_of(session, [notice.receivable_id for notice in notices])
    ladders = await ladders_by_id(session, [notice.procedure_id for notice in notices])
    return [NoticeOut.of(notice, numbers[notice.receivable_id], ladders[notice.procedure_id]) for notice in notices]


# What becomes of a notice is in the history of its receivable: it has no version of its own.
list_route(router, NoticeList, NoticeOut, scope="dunning:read", show=_explained)
export_route(router, NoticeList, scope="dunning:read")
read_route(router, NoticeOut, of=DunningNotice, scope="dunning:read", show=_explained)


@next_notice_router.get("/{receivable_id}/next-notice")
async def next_notice(
    receivable_id: UUID,
    session: SessionDep,
    today: Today,
    query: Annotated[AsAtQuery, Query()],
    _: Annotated[Actor, requires("dunning:read")],
) -> NextNoticeOut:
    """The next notice of a debt on a day (today when absent), or the reason why there is none."""
    day = query.day(today=today)
    step, ladder = await explain_next(session, receivable_id, as_at=day)
    return NextNoticeOut.of(receivable_id, day, step, ladder)
