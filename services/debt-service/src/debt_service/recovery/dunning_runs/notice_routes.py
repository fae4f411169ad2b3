"""/v1/dunning-notices, and /v1/receivables/{id}/next-notice: why a debt got a notice, and why it gets none."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import SessionDep, Today, requires
from council_common.web.pages import Page, PageQuery, fetch_page
from fastapi import Depends, Query

from debt_service.fields import Day
from debt_service.recovery.dunning_procedures.store import ladders_by_id
from debt_service.recovery.dunning_runs import notice_store
from debt_service.recovery.dunning_runs.rules import DeliveryStatus
from debt_service.recovery.dunning_runs.schemas import NextNoticeOut, NoticeOut
from debt_service.recovery.dunning_runs.tables import DunningNotice
from debt_service.recovery.dunning_runs.usecases import explain_next

router = resource_router("dunning-notices")
next_notice_router = resource_router("receivables")


@router.get("")
async def list_notices(
    *,
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("dunning:read")],
    ids: Annotated[list[UUID] | None, Query(max_length=200)] = None,
    receivable_id: UUID | None = None,
    customer_id: UUID | None = None,
    run_id: UUID | None = None,
    level: Annotated[int | None, Query(ge=1, le=20)] = None,
    delivery_status: DeliveryStatus | None = None,
) -> Page[NoticeOut]:
    """Notices, each with the rule and facts that led to it, and its delivery."""
    statement = notice_store.notices_where(
        receivable_id=receivable_id,
        customer_id=customer_id,
        run_id=run_id,
        level=level,
        delivery_status=delivery_status,
        ids=ids or [],
    )
    notices, cursor = await fetch_page(
        session,
        statement,
        query=page,
        sortable={"issued_on": DunningNotice.issued_on, "level": DunningNotice.level},
        default="issued_on",
        id_column=DunningNotice.id,
    )
    ladders = await ladders_by_id(session, [notice.procedure_id for notice, _ in notices])
    return Page(
        items=[NoticeOut.of(notice, number, ladders[notice.procedure_id]) for notice, number in notices], next=cursor
    )


@router.get("/{notice_id}")
async def get(notice_id: UUID, session: SessionDep, _: Annotated[Actor, requires("dunning:read")]) -> NoticeOut:
    """One notice: why it was issued, and its delivery."""
    notice, number = await notice_store.get_notice(session, notice_id)
    ladders = await ladders_by_id(session, [notice.procedure_id])
    return NoticeOut.of(notice, number, ladders[notice.procedure_id])


@next_notice_router.get("/{receivable_id}/next-notice")
async def next_notice(
    receivable_id: UUID,
    session: SessionDep,
    today: Today,
    _: Annotated[Actor, requires("dunning:read")],
    as_at: Day | None = None,
) -> NextNoticeOut:
    """The next notice of a debt on a day (today when absent), or the reason why there is none."""
    day = as_at or today
    step, ladder = await explain_next(session, receivable_id, as_at=day)
    return NextNoticeOut.of(receivable_id, day, step, ladder)
