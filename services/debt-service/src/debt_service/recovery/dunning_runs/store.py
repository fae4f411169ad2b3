"""The statements on runs and their items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from council_common.database.sessions import driver
from council_common.database.tables import change
from council_common.errors import NotFound
from sqlalchemy import BigInteger, ColumnElement, and_, cast, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.ledger.receivables.tables import Receivable
from debt_service.recovery.dunning_runs.rules import ItemState, Reason, RunStatus
from debt_service.recovery.dunning_runs.tables import DunningItem, DunningRun

_LOCK_NEXT = """
SELECT r.id FROM receivable r
WHERE r.id IN (SELECT receivable_id FROM dunning_item
               WHERE run_id = $1 AND state = 'proposed' AND receivable_id > $2 ORDER BY receivable_id LIMIT $3)
ORDER BY r.id FOR UPDATE
"""
_CLOSE = """
UPDATE dunning_item SET state = new.state, reason = new.reason
FROM unnest($2::uuid[], $3::text[], $4::text[]) AS new (receivable_id, state, reason)
WHERE run_id = $1 AND dunning_item.receivable_id = new.receivable_id
"""
_DIFFERENCE = """
SELECT coalesce(now.level, before.level) AS level, count(*) FILTER (WHERE before.level IS NULL) AS only_now,
    count(*) FILTER (WHERE now.level IS NULL) AS only_before,
    count(*) FILTER (WHERE now.level = before.level) AS in_both,
    count(*) FILTER (WHERE now.level <> before.level) AS moved
FROM (SELECT receivable_id, level FROM dunning_item WHERE run_id = $1 AND state <> 'skipped') now
FULL JOIN (SELECT receivable_id, level FROM dunning_item WHERE run_id = $2 AND state <> 'skipped') before
    USING (receivable_id)
GROUP BY 1 ORDER BY 1
"""


async def run_before(session: AsyncSession, run: DunningRun) -> DunningRun | None:
    """The last run before this one over the same debts that was not cancelled; None where there is none."""
    found: DunningRun | None = await session.scalar(
        select(DunningRun)
        .where(
            col(DunningRun.id) < run.id,
            col(DunningRun.status) != RunStatus.CANCELLED,
            col(DunningRun.department).is_not_distinct_from(run.department),
            col(DunningRun.debt_type).is_not_distinct_from(run.debt_type),
            col(DunningRun.procedure_id).is_not_distinct_from(run.procedure_id),
        )
        .order_by(col(DunningRun.id).desc())
        .limit(1)
    )
    return found


async def difference(session: AsyncSession, run_id: UUID, before_id: UUID) -> list[dict[str, Any]]:
    """By level: how many debts only this run proposes, only the one before, both, and both at another level."""
    connection = await driver(session)
    return [dict(row) for row in await connection.fetch(_DIFFERENCE, run_id, before_id)]


async def states_of(session: AsyncSession, run_id: UUID) -> list[Mapping[str, Any]]:
    """The items of a run by state, level and reason: how many, and what they owed in pence."""
    by = (col(DunningItem.state), col(DunningItem.level), col(DunningItem.reason))
    owed = cast(func.sum(col(DunningItem.outstanding_pence)), BigInteger)
    rows = await session.execute(
        select(*by, func.count().label("items"), owed.label("outstanding_pence"))
        .where(col(DunningItem.run_id) == run_id)
        .group_by(*by)
        .order_by(*by)
    )
    return [dict(row) for row in rows.mappings()]


async def get_item(session: AsyncSession, run_id: UUID, receivable_id: UUID) -> tuple[DunningItem, str]:
    """One item and its receivable's number; raises NotFound."""
    row = (
        await session.execute(
            select(DunningItem, col(Receivable.number))
            .join(Receivable, col(Receivable.id) == col(DunningItem.receivable_id))
            .where(_is_item(run_id, receivable_id))
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if row is None:
        raise NotFound.of("dunning item")
    return row[0], row[1]


async def exclude_item(session: AsyncSession, run_id: UUID, receivable_id: UUID) -> bool:
    """Take an item out of a (locked) run's proposal; False where it is not open."""
    excluded = await session.execute(
        update(DunningItem)
        .where(_is_item(run_id, receivable_id), col(DunningItem.state) == ItemState.PROPOSED)
        .values(state=ItemState.EXCLUDED, reason=Reason.EXCLUDED_BY_OFFICER)
        .returning(col(DunningItem.receivable_id))
        .execution_options(synchronize_session=False)
    )
    return excluded.scalar() is not None


async def edits_of(session: AsyncSession, run_id: UUID, receivable_id: UUID) -> list[Mapping[str, Any]]:
    """The edits of an item, oldest first: lines of its run's history."""
    note = change.c.detail["note"].astext.label("note")
    rows = await session.execute(
        select(change.c.action, change.c.at, change.c.by, change.c.by_name, note)
        .where(change.c.entity_id == run_id, change.c.detail["receivable_id"].astext == str(receivable_id))
        .order_by(change.c.version)
    )
    return [dict(row) for row in rows.mappings()]


def _is_item(run_id: UUID, receivable_id: UUID) -> ColumnElement[bool]:
    return and_(col(DunningItem.run_id) == run_id, col(DunningItem.receivable_id) == receivable_id)


async def procedures_of(session: AsyncSession, run_id: UUID, receivable_ids: Sequence[UUID]) -> list[UUID]:
    """The procedures that some items of a run follow."""
    these = (col(DunningItem.run_id) == run_id, col(DunningItem.receivable_id).in_(receivable_ids))
    return list(await session.scalars(select(col(DunningItem.procedure_id)).where(*these).distinct()))


async def count_open_items(session: AsyncSession, run_id: UUID) -> int:
    """How many debts a run still proposes a notice for."""
    is_open = (col(DunningItem.run_id) == run_id, col(DunningItem.state) == ItemState.PROPOSED)
    return await session.scalar(select(func.count()).select_from(DunningItem).where(*is_open)) or 0


async def lock_next(session: AsyncSession, run_id: UUID, *, after: UUID, batch: int) -> list[UUID]:
    """Lock the next debts a run proposes, in the order of their ids."""
    connection = await driver(session)
    return [row["id"] for row in await connection.fetch(_LOCK_NEXT, run_id, after, batch)]


async def close_items(
    session: AsyncSession, run_id: UUID, receivable_ids: Sequence[UUID], reasons: Sequence[str | None]
) -> None:
    """Items with a reason are dropped, the others issued."""
    states = [ItemState.ISSUED if reason is None else ItemState.DROPPED for reason in reasons]
    connection = await driver(session)
    await connection.execute(_CLOSE, run_id, receivable_ids, states, reasons)


async def save_outcome(session: AsyncSession, run_id: UUID, outcome: dict[str, Any]) -> None:
    """What was issued and dropped so far by a (locked) run; no version: progress is no fact."""
    await session.execute(update(DunningRun).where(col(DunningRun.id) == run_id).values(outcome=outcome))


async def cancel_items(session: AsyncSession, run_id: UUID) -> None:
    """Free the debts of a run that is cancelled."""
    await session.execute(
        update(DunningItem)
        .where(col(DunningItem.run_id) == run_id, col(DunningItem.state) == ItemState.PROPOSED)
        .values(state=ItemState.CANCELLED)
    )
