"""/v1/dunning-runs: propose, review, edit, approve."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.identity.actor import Actor
from council_common.long_work.schemas import NoteIn
from council_common.long_work.store import works_of
from council_common.long_work.tables import Work
from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.csv_download import csv_download
from council_common.web.dependencies import Now, RuntimeDep, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery, fetch_page
from council_common.web.resource_routes import history_route
from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.fields import NO_CONTROL_CHARACTERS, Day
from debt_service.ledger.receivables.store import get_receivable
from debt_service.recovery.dunning_runs import store
from debt_service.recovery.dunning_runs.issuing import ISSUE_NOTICES, approve_run, cancel_run, resume_run
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
from debt_service.recovery.dunning_runs.usecases import exclude_item, propose_run

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
    return RunOut.of(proposed, None)


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
    works = await works_of(session, ISSUE_NOTICES.name, [run.id for run in runs])
    return Page(items=[RunOut.of(run, works.get(run.id)) for run in runs], next=cursor)


@router.get("/{run_id}")
async def get(run_id: UUID, session: SessionDep, _: Annotated[Actor, requires("dunning:read")]) -> RunDetailOut:
    """A run: its items by state, level and reason, and how it differs from the last run over the same debts."""
    run = await store.get_run(session, run_id)
    counted = [
        StateCount(state=ItemState(state), level=level, reason=reason, items=count, outstanding_pence=pence)
        for state, level, reason, count, pence in await store.states_of(session, run_id)
    ]
    works = await works_of(session, ISSUE_NOTICES.name, [run_id])
    shown = RunOut.of(run, works.get(run_id)).model_dump()
    return RunDetailOut(**shown, items=counted, difference=await _difference(session, run))


async def _difference(session: AsyncSession, run: DunningRun) -> DifferenceOut | None:
    before = await store.run_before(session, run)
    if before is None:
        return None
    levels = [LevelDifference(**level) for level in await store.difference(session, run.id, before.id)]
    return DifferenceOut(run_id=before.id, as_at=before.as_at, by_level=levels)


history_route(router, of=DunningRun, scope="dunning:read")


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


@router.post("/{run_id}/approvals", status_code=202)
async def approve(
    run_id: UUID, act: Annotated[Act, acting("dunning:approve")], approval: ApprovalIn | None = None
) -> RunOut:
    """Have the notices of a run issued, each item tested again; its proposer may not. Progress is in the run itself."""
    issued_on = approval.issued_on if approval else None
    return _answer(act, *await approve_run(act.session, run_id, issued_on=issued_on, by=act.by, at=act.at))


@router.post("/{run_id}/cancellations", status_code=201)
async def cancel(run_id: UUID, cancellation: NoteIn, act: Annotated[Act, acting("dunning:write")]) -> RunOut:
    """Cancel a run. Of a proposal nothing is sent; of one that is being issued, what was issued stays issued."""
    return _answer(act, *await cancel_run(act.session, run_id, note=cancellation.note, by=act.by, at=act.at))


@router.post("/{run_id}/resumptions", status_code=202)
async def resume(run_id: UUID, resumption: NoteIn, act: Annotated[Act, acting("dunning:approve")]) -> RunOut:
    """Have a run whose issuing failed go on behind the last notice that was issued, once the cause is put right."""
    return _answer(act, *await resume_run(act.session, run_id, note=resumption.note, by=act.by, at=act.at))


def _answer(act: Act, run: DunningRun, work: Work | None) -> RunOut:
    act.answers(f"{router.prefix}/{run.id}", run.version)
    return RunOut.of(run, work)
