"""Approving a run, and issuing its notices as long work: every item is tested again, then its notice is issued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.debts import DunningNoticeIssuedV1
from council_common.database.rows import get_row, lock_row
from council_common.errors import move
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.long_work.kind import WorkKind
from council_common.long_work.rules import Progress, WorkState
from council_common.long_work.tables import Work
from council_common.long_work.usecases import cancel_work, request_work, resume_work
from council_common.observability.logs import get_logger
from council_common.recording import Change, fact, record, record_many
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.ledger.customers.rules import usable_channel
from debt_service.recovery.dunning_procedures.rules import Ladder, Level
from debt_service.recovery.dunning_procedures.store import ladders_by_id
from debt_service.recovery.dunning_runs import store
from debt_service.recovery.dunning_runs.notice_store import NewNotice, add_notices, raise_levels
from debt_service.recovery.dunning_runs.rules import (
    NEXT,
    NOTHING_ISSUED,
    DeliveryStatus,
    RunStatus,
    issue_day,
    must_be_proposed,
    outcome_with,
)
from debt_service.recovery.dunning_runs.selection import retest
from debt_service.recovery.dunning_runs.tables import DunningRun

log = get_logger()

SLICE = 1_000
BEFORE_ALL = UUID(int=0)


class IssueNotices(WorkKind):
    """The notices of an approved run, a thousand debts a slice, in the order of the debts' ids.

    An item whose debt was paid, cancelled or held since the proposal, whose earlier notice was sent again, or whose
    debt fell below the level's minimum, is dropped with its reason: each is tested in the transaction that issues it.
    """

    name = "issue-dunning-notices"
    noun = "dunning run"
    unit = "debts"

    async def do_slice(self, session: AsyncSession, work: Work, prepared: object, *, now: datetime) -> Progress:
        """Lock the next debts, test their items again, issue the notices of those that stand."""
        del prepared
        run = await lock_row(session, DunningRun, work.subject_id)
        after = UUID(work.cursor) if work.cursor else BEFORE_ALL
        debts = await store.lock_next(session, run.id, after=after, batch=SLICE)
        if debts:
            ladders = await ladders_by_id(session, await store.procedures_of(session, run.id, debts))
            issue = _Issue(run.id, run.issued_on or london_date(now), work.requester, now, ladders)
            rows = await retest(
                session, run.id, debts, ladders.values(), as_at=london_date(now), issued_on=issue.issued_on
            )
            await store.close_items(session, run.id, [row["id"] for row in rows], [row["reason"] for row in rows])
            await _issue(session, issue, [row for row in rows if row["reason"] is None])
            closed = ((row["level"], row["reason"]) for row in rows)
            await store.save_outcome(session, run.id, outcome_with(run.outcome, closed))
        cursor = str(debts[-1]) if debts else work.cursor
        return Progress(work.done + len(debts), finished=len(debts) < SLICE, cursor=cursor)

    async def moved(self, session: AsyncSession, work: Work, *, by: Actor, at: datetime, note: str | None) -> None:
        """What became of the run. Issued notices stay issued; the rest of its debts is free for another run."""
        run = await lock_row(session, DunningRun, work.subject_id)
        detail = {"note": note} if note else {}
        if work.state is WorkState.DONE:
            run.status, run.closed_at = RunStatus.ISSUED, at
            run.closed_by, run.closed_by_name = work.requested_by, work.requested_by_name
            log.info("dunning_run_issued", run_id=str(run.id), issued=run.outcome["issued"])
        elif work.state is WorkState.CANCELLED:
            run.status, run.closed_by, run.closed_by_name = RunStatus.CANCELLED, by.subject, by.name
            run.closed_at = at
            await store.cancel_items(session, run.id)
            detail |= {"issued": run.outcome["issued"]}
        reason = work.error["code"] if work.error else None
        await record(session, fact(run, _ACTIONS[work.state], reason=reason, detail=detail), by=by, at=at)


ISSUE_NOTICES = IssueNotices()

_ACTIONS = {
    WorkState.DONE: "issued",
    WorkState.CANCELLED: "cancelled",
    WorkState.FAILED: "issuing failed",
    WorkState.WAITING: "resumed",
}


@dataclass(frozen=True, slots=True)
class _Issue:
    """Who issues what, dated on which day, at which moment."""

    run_id: UUID
    issued_on: date
    by: Actor
    at: datetime
    ladders: dict[UUID, Ladder]


async def approve_run(
    session: AsyncSession, run_id: UUID, *, issued_on: date | None, by: Actor, at: datetime
) -> tuple[DunningRun, Work]:
    """Have the notices of a proposal issued; its proposer may not (segregation of duties).

    Issuing is long work: it begins as soon as this transaction commits, and the run is `issuing` until it is done.
    Raises IllegalMove for a run that was approved or cancelled, IssueDay for an impossible day.
    """
    run = await lock_row(session, DunningRun, run_id)
    by.must_differ_from(run.proposed_by, what="Approving a dunning run")
    run.status = move(NEXT, run.status, RunStatus.ISSUING, thing="The dunning run")
    run.issued_on = issue_day(issued_on, as_at=run.as_at, today=london_date(at))
    run.outcome = dict(NOTHING_ISSUED)
    await record(session, fact(run, "approved", detail={"issued_on": str(run.issued_on)}), by=by, at=at)
    total = await store.count_open_items(session, run.id)
    return run, await request_work(session, ISSUE_NOTICES, run.id, total=total, by=by, at=at)


async def cancel_run(
    session: AsyncSession, run_id: UUID, *, note: str, by: Actor, at: datetime
) -> tuple[DunningRun, Work | None]:
    """Cancel a run: of a proposal nothing is sent; of one that is being issued what was issued stays, the rest is not.

    Raises IllegalMove for a run that is issued or cancelled.
    """
    run = await get_row(session, DunningRun, run_id)
    move(NEXT, run.status, RunStatus.CANCELLED, thing="The dunning run")
    if run.status == RunStatus.ISSUING:
        work = await cancel_work(session, ISSUE_NOTICES, run_id, by=by, at=at, note=note)
        return await lock_row(session, DunningRun, run_id), work
    run = await lock_row(session, DunningRun, run_id)
    must_be_proposed(run.status, RunStatus.CANCELLED)
    await store.cancel_items(session, run_id)
    run.status, run.closed_by, run.closed_by_name = RunStatus.CANCELLED, by.subject, by.name
    run.closed_at = at
    await record(session, fact(run, "cancelled", detail={"note": note}), by=by, at=at)
    return run, None


async def resume_run(
    session: AsyncSession, run_id: UUID, *, note: str, by: Actor, at: datetime
) -> tuple[DunningRun, Work]:
    """Have a run whose issuing failed go on behind the last notice that was issued. Raises IllegalMove."""
    await get_row(session, DunningRun, run_id)
    work = await resume_work(session, ISSUE_NOTICES, run_id, by=by, at=at, note=note)
    return await lock_row(session, DunningRun, run_id), work


async def _issue(session: AsyncSession, issue: _Issue, rows: Sequence[Any]) -> None:
    if not rows:
        return
    notices = [_notice(issue, row) for row in rows]
    await add_notices(session, notices)
    await raise_levels(session, [row["id"] for row in rows], [row["level"] for row in rows], on=issue.issued_on)
    changes = [
        Change(
            entity="receivable",
            entity_id=row["id"],
            version=row["version"] + 1,
            action="notice issued",
            event=DunningNoticeIssuedV1,
            detail={"run_id": issue.run_id, "level": row["level"]},
            fields=_published(notice, number=row["number"]),
        )
        for notice, row in zip(notices, rows, strict=True)
    ]
    await record_many(session, changes, by=issue.by, at=issue.at)


def _level(issue: _Issue, row: Any) -> Level:
    number: int = row["level"]
    return issue.ladders[row["procedure_id"]].levels[number - 1]


def _notice(issue: _Issue, row: Any) -> NewNotice:
    level = _level(issue, row)
    return NewNotice(
        id=new_id(),
        run_id=issue.run_id,
        receivable_id=row["id"],
        customer_id=row["customer_id"],
        procedure_id=row["procedure_id"],
        level=level.level,
        template=level.template,
        channel=usable_channel(level.channel, row["preferred_channel"], has_email=row["has_email"]),
        issued_on=issue.issued_on,
        due_on=row["due_on"],
        days_overdue=(issue.issued_on - row["due_on"]).days,
        outstanding_pence=row["outstanding_pence"],
        last_notice_on=row["last_notice_on"],
        approved_by=issue.by.subject,
        approved_by_name=issue.by.name,
        delivery_status=DeliveryStatus.ISSUED,
        delivery_at=issue.at,
    )


def _published(notice: NewNotice, *, number: str) -> dict[str, Any]:
    return {
        "customer_id": notice.customer_id,
        "notice_id": notice.id,
        "run_id": notice.run_id,
        "level": notice.level,
        "template": notice.template,
        "channel": notice.channel,
        "issued_on": notice.issued_on,
        "due_on": notice.due_on,
        "number": number,
        "outstanding_pence": notice.outstanding_pence,
        "days_overdue": notice.days_overdue,
    }
