"""/v1/dunning-runs: propose, review, edit, approve."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.csv_download import csv_download
from council_common.web.dependencies import Now, RuntimeDep, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery, fetch_page
from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.fields import NO_CONTROL_CHARACTERS, Day
from debt_service.ledger.receivables.store import get_receivable
from debt_service.recovery.dunning_runs import store
from debt_service.recovery.dunning_runs.issuing import approve_run
from debt_service.recovery.dunning_runs.rules import ItemState, RunStatus
from debt_service.recovery.dunning_runs.schemas import (
    ApprovalIn,
    DifferenceOut,
    ItemDetailOut,
    ItemOut,
    LevelDifference,
    ReasonIn,
    RunDetailOut,
    RunIn,
    RunOut,
    StateCount,
)
from debt_service.recovery.dunning_runs.tables import DunningItem, DunningRun
from debt_service.recovery.dunning_runs.usecases import cancel_run, exclude_item, propose_run

router = resource_router("dunning-runs")

EXPORTED = (
    "receivable_id",
    "customer_id",
    "level",
    "days_overdue",
    "outstanding_pence",
    "due_on",
    "last_notice_on",
    "state",
    "reason",
)

ReasonFilter = Annotated[str | None, Query(max_length=60, pattern=NO_CONTROL_CHARACTERS, examples=["on_hold:dispute"])]
LevelFilter = Annotated[int | None, Query(ge=1, le=20)]


@router.post("", status_code=201, dependencies=[Idempotent])
async def propose(run: RunIn, session: SessionDep, now: Now, by: Annotated[Actor, requires("dunning:write")]) -> RunOut:
    """Propose the next notice of every overdue debt as at a day, with the reason where there is none; sends nothing."""
    proposed = await propose_run(
        session,
        procedure_id=run.procedure_id,
        as_at=run.as_at,
        department=run.department,
        debt_type=run.debt_type,
        by=by,
        at=now,
    )
    return RunOut.of(proposed)


@router.get("")
async def list_runs(
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("dunning:read")],
    status: RunStatus | None = None,
    as_at_from: Day | None = None,
    as_at_to: Day | None = None,
) -> Page[RunOut]:
    """Runs, newest first."""
    runs, cursor = await fetch_page(
        session,
        store.runs_where(status=status, as_at_from=as_at_from, as_at_to=as_at_to),
        query=page,
        sortable={"proposed_at": DunningRun.proposed_at, "as_at": DunningRun.as_at},
        default="-proposed_at",
        id_column=DunningRun.id,
    )
    return Page(items=[RunOut.of(run) for run in runs], next=cursor)


@router.get("/{run_id}")
async def get(run_id: UUID, session: SessionDep, _: Annotated[Actor, requires("dunning:read")]) -> RunDetailOut:
    """A run: its items by state, level and reason, and how it differs from the last run over the same debts."""
    run = await store.get_run(session, run_id)
    counted = [
        StateCount(state=ItemState(state), level=level, reason=reason, items=count, outstanding_pence=pence)
        for state, level, reason, count, pence in await store.states_of(session, run_id)
    ]
    return RunDetailOut(**RunOut.of(run).model_dump(), items=counted, difference=await _difference(session, run))


async def _difference(session: AsyncSession, run: DunningRun) -> DifferenceOut | None:
    before = await store.run_before(session, run)
    if before is None:
        return None
    levels = [LevelDifference(**level) for level in await store.difference(session, run.id, before.id)]
    return DifferenceOut(run_id=before.id, as_at=before.as_at, by_level=levels)


@router.get("/{run_id}/history")
async def history(run_id: UUID, session: SessionDep, _: Annotated[Actor, requires("dunning:read")]) -> list[ChangeOut]:
    """Who proposed, approved or cancelled a run, and when."""
    await store.get_run(session, run_id)
    return await history_of(session, run_id)


@router.get("/{run_id}/items")
async def list_items(
    *,
    run_id: UUID,
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("dunning:read")],
    state: ItemState | None = None,
    level: LevelFilter = None,
    reason: ReasonFilter = None,
    customer_id: UUID | None = None,
) -> Page[ItemOut]:
    """What a run found of each debt: the notice it proposes, or why there is none.

    Debts that only the calendar or their ladder keeps back (not due yet, the interval not elapsed, the top level
    reached, no procedure) are counted in the run and not listed; `/v1/receivables/{id}/next-notice` has it of one.
    """
    await store.get_run(session, run_id)
    items, cursor = await fetch_page(
        session,
        store.items_where(run_id, state=state, level=level, reason=reason, customer_id=customer_id),
        query=page,
        sortable={
            "receivable_id": DunningItem.receivable_id,
            "days_overdue": DunningItem.days_overdue,
            "outstanding_pence": DunningItem.outstanding_pence,
        },
        default="receivable_id",
        id_column=DunningItem.receivable_id,
    )
    return Page(items=[ItemOut.of(item, number) for item, number in items], next=cursor)


@router.get("/{run_id}/items/export.csv", response_class=StreamingResponse)
async def export_items(
    *,
    run_id: UUID,
    runtime: RuntimeDep,
    session: SessionDep,
    _: Annotated[Actor, requires("dunning:read")],
    state: ItemState | None = None,
    level: LevelFilter = None,
    reason: ReasonFilter = None,
    customer_id: UUID | None = None,
) -> StreamingResponse:
    """The same list as CSV, whole."""
    await store.get_run(session, run_id)
    columns = [store.ITEM_NUMBER, *(getattr(DunningItem, name) for name in EXPORTED)]
    statement = store.items_where(run_id, state=state, level=level, reason=reason, customer_id=customer_id)
    return csv_download(
        runtime.sessions,
        statement.with_only_columns(*columns),
        DunningItem.receivable_id,
        filename=f"dunning-run-{run_id}.csv",
    )


@router.get("/{run_id}/items/{item_id}")
async def get_item(
    run_id: UUID, item_id: UUID, session: SessionDep, _: Annotated[Actor, requires("dunning:read")]
) -> ItemDetailOut:
    """One item with its edits."""
    return await _item(session, run_id, item_id)


@router.post("/{run_id}/items/{item_id}/exclusions", status_code=201, dependencies=[Idempotent])
async def exclude(
    *,
    run_id: UUID,
    item_id: UUID,
    exclusion: ReasonIn,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("dunning:write")],
) -> ItemDetailOut:
    """Take one debt out of a proposal; the snapshot stays, the edit is kept beside it."""
    await exclude_item(session, run_id, item_id, reason=exclusion.reason, by=by, at=now)
    return await _item(session, run_id, item_id)


async def _item(session: AsyncSession, run_id: UUID, receivable_id: UUID) -> ItemDetailOut:
    item = await store.get_item(session, run_id, receivable_id)
    number = (await get_receivable(session, receivable_id)).number
    return ItemDetailOut.with_events(item, number, await store.events_of(session, run_id, receivable_id))


@router.post("/{run_id}/approvals", status_code=201, dependencies=[Idempotent])
async def approve(
    run_id: UUID,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("dunning:approve")],
    approval: ApprovalIn | None = None,
) -> RunOut:
    """Issue the notices of a run, each item tested again; its proposer may not."""
    run = await approve_run(session, run_id, issued_on=approval.issued_on if approval else None, by=by, at=now)
    return RunOut.of(run)


@router.post("/{run_id}/cancellations", status_code=201, dependencies=[Idempotent])
async def cancel(
    run_id: UUID, cancellation: ReasonIn, session: SessionDep, now: Now, by: Annotated[Actor, requires("dunning:write")]
) -> RunOut:
    """Cancel a proposal: nothing is sent."""
    return RunOut.of(await cancel_run(session, run_id, reason=cancellation.reason, by=by, at=now))
