"""Approving a run: every item is tested again, then its notice is issued."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.debts import DunningNoticeIssuedV1
from council_common.database.history import record_change
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.observability.logs import get_logger
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.ledger.customers.rules import usable_channel
from debt_service.records import Change, write_changes, write_events
from debt_service.recovery.dunning_procedures.rules import Ladder, Level
from debt_service.recovery.dunning_procedures.store import ladders_by_id
from debt_service.recovery.dunning_runs import store
from debt_service.recovery.dunning_runs.notice_store import NewNotice, add_notices, raise_levels
from debt_service.recovery.dunning_runs.rules import DeliveryStatus, RunStatus, issue_day, must_be_proposed
from debt_service.recovery.dunning_runs.selection import retest
from debt_service.recovery.dunning_runs.tables import DunningRun

log = get_logger()

BATCH = 5_000
BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Issue:
    """Who issues what on which day."""

    run_id: UUID
    on: date
    by: Actor
    at: datetime
    ladders: dict[UUID, Ladder]


async def approve_run(
    session: AsyncSession, run_id: UUID, *, issued_on: date | None, by: Actor, at: datetime
) -> DunningRun:
    """Issue the notices of a proposal; its proposer may not (segregation of duties).

    An item whose debt was paid, cancelled or held since, whose earlier notice was sent again, or whose debt fell below
    the level's minimum, is dropped with its reason. Debts are locked in the order of their ids, batch after batch;
    memory stays flat. Raises IllegalMove for a run that is issued or cancelled, IssueDay for an impossible day.
    """
    run = await store.get_run(session, run_id, lock=True)
    by.must_differ_from(run.proposed_by, what="Approving a dunning run")
    must_be_proposed(run.status, RunStatus.ISSUED)
    today = london_date(at)
    on = issue_day(issued_on, as_at=run.as_at, today=today)
    ladders = await ladders_by_id(session, await store.procedures_of(session, run.id))
    issue = _Issue(run.id, on, by, at, ladders)
    issued: Counter[int] = Counter()
    dropped: Counter[str] = Counter()
    after = BEFORE_ALL
    while batch := await store.lock_next(session, run.id, after=after, batch=BATCH):
        after = batch[-1]
        rows = await retest(session, run.id, batch, issue.ladders.values(), as_at=today, issued_on=on)
        await store.close_items(session, run.id, [row["id"] for row in rows], [row["reason"] for row in rows])
        good = [row for row in rows if row["reason"] is None]
        await _issue(session, issue, good)
        issued.update(row["level"] for row in good)
        dropped.update(row["reason"] for row in rows if row["reason"] is not None)
    run.status, run.closed_by, run.closed_at, run.issued_on = RunStatus.ISSUED, by.subject, at, on
    run.outcome = {"issued": issued.total(), "by_level": _by_level(issued), "dropped": dict(sorted(dropped.items()))}
    run.version += 1
    await session.flush()
    await record_change(
        session, entity="dunning_run", entity_id=run.id, version=run.version, action="approved", by=by, at=at
    )
    log.info("dunning_run_approved", run_id=str(run.id), issued=issued.total(), dropped=dropped.total())
    return run


def _by_level(issued: Counter[int]) -> list[dict[str, int]]:
    return [{"level": level, "notices": issued[level]} for level in sorted(issued)]


async def _issue(session: AsyncSession, issue: _Issue, rows: Sequence[Any]) -> None:
    if not rows:
        return
    notices = [_notice(issue, row) for row in rows]
    await add_notices(session, notices)
    await raise_levels(session, [row["id"] for row in rows], [row["level"] for row in rows], on=issue.on)
    changes = (
        Change(
            "receivable",
            row["id"],
            row["version"] + 1,
            f"notice_issued:{row['level']}",
            detail={"run_id": issue.run_id},
        )
        for row in rows
    )
    await write_changes(session, changes, by=issue.by, at=issue.at)
    await write_events(session, (_event(issue, notice, row) for notice, row in zip(notices, rows, strict=True)))


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
        issued_on=issue.on,
        due_on=row["due_on"],
        days_overdue=(issue.on - row["due_on"]).days,
        outstanding_pence=row["outstanding_pence"],
        last_notice_on=row["last_notice_on"],
        approved_by=issue.by.subject,
        delivery_status=DeliveryStatus.ISSUED,
        delivery_at=issue.at,
    )


def _event(issue: _Issue, notice: NewNotice, row: Any) -> DunningNoticeIssuedV1:
    return DunningNoticeIssuedV1(
        version=row["version"] + 1,
        occurred_at=issue.at,
        by=issue.by.subject,
        receivable_id=notice.receivable_id,
        customer_id=notice.customer_id,
        notice_id=notice.id,
        run_id=notice.run_id,
        level=notice.level,
        template=notice.template,
        channel=notice.channel,
        issued_on=notice.issued_on,
        due_on=notice.due_on,
        number=row["number"],
        outstanding_pence=notice.outstanding_pence,
        days_overdue=notice.days_overdue,
    )
