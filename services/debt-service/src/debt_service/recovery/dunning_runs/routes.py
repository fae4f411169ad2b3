"""Dunning runs over HTTP: propose, review, edit, approve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from council_common.database.rows import get_row
from council_common.errors import NotFound
from council_common.fields import NoteIn
from council_common.identity.actor import Actor
from council_common.long_work.store import works_of
from council_common.long_work.tables import Work
from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.csv_export import csv_export
from council_common.web.dependencies import RuntimeDep, SessionDep, requires
from council_common.web.keyset import Page
from council_common.web.resource_routes import CSV_RESPONSE, export_route, history_route, list_route, read_route
from fastapi import Query
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.recovery.dunning_runs import store
from debt_service.recovery.dunning_runs.issuing import ISSUE_NOTICES, approve_run, cancel_run, resume_run
from debt_service.recovery.dunning_runs.lists import ItemFilters, ItemQuery, RunList, items_csv, passed_over_item
from debt_service.recovery.dunning_runs.schemas import (
    ApprovalIn,
    DifferenceOut,
    ItemDetailOut,
    ItemOut,
    LevelDifference,
    RunDetailOut,
    RunIn,
    RunOut,
    StateCount,
)
from debt_service.recovery.dunning_runs.tables import DunningRun
from debt_service.recovery.dunning_runs.usecases import exclude_item, propose_run

router = resource_router("dunning-runs")


@router.post("", status_code=201)
async def propose(run: RunIn, act: Annotated[Act, acting("dunning:write")]) -> RunOut:
    """Propose the next notice of every overdue debt as at a day, with the reason where there is none; sends nothing."""
    proposed = await propose_run(
        act.session,
        procedure_id=run.procedure_id,
        as_at=run.as_at,
        department=run.department,
        debt_type=run.debt_type,
        by=act.by,
        at=act.at,
    )
    return _answer(act, proposed, None)


async def _with_progress(session: AsyncSession, runs: Sequence[Any]) -> list[RunOut]:
    works = await works_of(session, ISSUE_NOTICES.name, [run.id for run in runs])
    return [RunOut.of(run, works.get(run.id)) for run in runs]


list_route(router, RunList, RunOut, scope="dunning:read", show=_with_progress)
export_route(router, RunList, scope="dunning:read")


async def _with_items(session: AsyncSession, runs: Sequence[Any]) -> list[RunDetailOut]:
    """Runs with their items by state, level and reason, and how they differ from the last run over the same debts."""
    return [
        RunDetailOut(
            **shown.model_dump(),
            items=[StateCount(**counts) for counts in await store.states_of(session, run.id)],
            difference=await _difference(session, run),
        )
        for run, shown in zip(runs, await _with_progress(session, runs), strict=True)
    ]


async def _difference(session: AsyncSession, run: DunningRun) -> DifferenceOut | None:
    before = await store.run_before(session, run)
    if before is None:
        return None
    levels = [LevelDifference(**level) for level in await store.difference(session, run.id, before.id)]
    return DifferenceOut(run_id=before.id, as_at=before.as_at, by_level=levels)


read_route(router, RunDetailOut, of=DunningRun, scope="dunning:read", show=_with_items)
history_route(router, of=DunningRun, scope="dunning:read")


@router.get("/{dunning_run_id}/items")
async def list_items(
    dunning_run_id: UUID,
    session: SessionDep,
    query: Annotated[ItemQuery, Query()],
    _: Annotated[Actor, requires("dunning:read")],
) -> Page[ItemOut]:
    """What a run found of each debt: the notice it proposes, or why there is none.

    Debts that only the calendar or their ladder keeps back (`not_due_yet`, `interval_not_elapsed`, `top_level_reached`,
    `no_procedure`) are listed where their reason is asked for: they are most of a council's book.
    """
    await get_row(session, DunningRun, dunning_run_id)
    items, following = await query.page(session, dunning_run_id)
    return Page(items=[ItemOut.of(item, item.number) for item in items], next=following)


@router.get("/{dunning_run_id}/items/export.csv", response_class=StreamingResponse, responses=CSV_RESPONSE)
async def export_items(
    dunning_run_id: UUID,
    runtime: RuntimeDep,
    session: SessionDep,
    query: Annotated[ItemFilters, Query()],
    _: Annotated[Actor, requires("dunning:read")],
) -> StreamingResponse:
    """The whole list as CSV for people: the same filters and order, names beside ids, amounts in pounds."""
    await get_row(session, DunningRun, dunning_run_id)
    statement, order = items_csv(query, dunning_run_id)
    return await csv_export(runtime, statement, order, filename=f"dunning-run-{dunning_run_id}.csv")


@router.get("/{dunning_run_id}/items/{item_id}")
async def get_item(
    dunning_run_id: UUID, item_id: UUID, session: SessionDep, _: Annotated[Actor, requires("dunning:read")]
) -> ItemDetailOut:
    """One item with its edits; `item_id` is the receivable's id."""
    return await _item(session, dunning_run_id, item_id)


@router.post("/{dunning_run_id}/items/{item_id}/exclusions", status_code=201)
async def exclude(
    dunning_run_id: UUID, item_id: UUID, exclusion: NoteIn, act: Annotated[Act, acting("dunning:write")]
) -> ItemDetailOut:
    """Take one debt out of a proposal; the snapshot stays, the edit is in the run's history."""
    run = await exclude_item(act.session, dunning_run_id, item_id, note=exclusion.note, by=act.by, at=act.at)
    act.answers(f"{router.prefix}/{dunning_run_id}/items/{item_id}", run.version)
    return await _item(act.session, dunning_run_id, item_id)


async def _item(session: AsyncSession, dunning_run_id: UUID, receivable_id: UUID) -> ItemDetailOut:
    try:
        item, number = await store.get_item(session, dunning_run_id, receivable_id)
    except NotFound:
        passed_over = await passed_over_item(session, dunning_run_id, receivable_id)
        if passed_over is None:
            raise
        return ItemDetailOut.with_edits(passed_over, passed_over.number, [])
    return ItemDetailOut.with_edits(item, number, await store.edits_of(session, dunning_run_id, receivable_id))


@router.post("/{dunning_run_id}/approvals", status_code=202)
async def approve(
    dunning_run_id: UUID, act: Annotated[Act, acting("dunning:approve")], approval: ApprovalIn | None = None
) -> RunOut:
    """Have the notices of a run issued, each item tested again; its proposer may not. Progress is in the run itself."""
    issued_on = approval.issued_on if approval else None
    return _answer(act, *await approve_run(act.session, dunning_run_id, issued_on=issued_on, by=act.by, at=act.at))


@router.post("/{dunning_run_id}/cancellations", status_code=201)
async def cancel(dunning_run_id: UUID, cancellation: NoteIn, act: Annotated[Act, acting("dunning:write")]) -> RunOut:
    """Cancel a run. Of a proposal nothing is sent; of one that is being issued, what was issued stays issued."""
    return _answer(act, *await cancel_run(act.session, dunning_run_id, note=cancellation.note, by=act.by, at=act.at))


@router.post("/{dunning_run_id}/resumptions", status_code=202)
async def resume(dunning_run_id: UUID, resumption: NoteIn, act: Annotated[Act, acting("dunning:approve")]) -> RunOut:
    """Have a run whose issuing failed go on behind the last notice that was issued, once the cause is put right."""
    return _answer(act, *await resume_run(act.session, dunning_run_id, note=resumption.note, by=act.by, at=act.at))


def _answer(act: Act, run: DunningRun, work: Work | None) -> RunOut:
    act.answers(f"{router.prefix}/{run.id}", run.version)
    return RunOut.of(run, work)
