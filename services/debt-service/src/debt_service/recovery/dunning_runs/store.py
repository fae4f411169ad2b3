"""Every other query about runs, items and notices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from council_common.database.sessions import driver
from sqlalchemy import Select, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.arrangements.holds.store import KIND_IN_FORCE
from debt_service.ledger.receivables.rules import Status
from debt_service.ledger.receivables.tables import Receivable
from debt_service.recovery.dunning_runs.rules import (
    NO_USABLE_ADDRESS,
    Facts,
    ItemNotFound,
    ItemState,
    NoticeNotFound,
    RunNotFound,
)
from debt_service.recovery.dunning_runs.tables import DunningItem, DunningItemEvent, DunningNotice, DunningRun

# The London day this service was told of receivable `r`.
RECORDED_ON = "(r.created_at AT TIME ZONE 'Europe/London')::date"
# Whether notice `n`, which never left, failed for an address that customer `c` still has.
UNDELIVERABLE = (
    f"n.failure_reason IN ({', '.join(map(repr, NO_USABLE_ADDRESS))}) "
    "AND (c.contact_changed_at IS NULL OR c.contact_changed_at <= n.delivery_at)"
)

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
_DUN = """
UPDATE receivable SET dunning_level = new.level, last_notice_on = $3, last_notice_sent_on = NULL, version = version + 1
FROM unnest($1::uuid[], $2::smallint[]) AS new (id, level) WHERE receivable.id = new.id
"""
_LOCK_NOTICED = """
SELECT id, dunning_level FROM receivable
WHERE id IN (SELECT receivable_id FROM dunning_notice WHERE id = ANY($1::uuid[])) ORDER BY id FOR UPDATE
"""
# Only by its own template and, until it failed, by its own message: a message by hand about a notice is not the notice.
# What left once has left, whatever becomes of sending it again.
_DELIVERY = """
UPDATE dunning_notice SET delivery_status = $1, delivery_at = new.at, message_id = new.message_id,
    failure_reason = new.reason,
    sent_on = CASE WHEN $1 = 'sent' THEN new.sent_on ELSE coalesce(dunning_notice.sent_on, new.sent_on) END
FROM unnest($3::uuid[], $4::timestamptz[], $5::uuid[], $6::text[], $7::text[], $8::date[])
     AS new (id, at, message_id, template, reason, sent_on)
WHERE dunning_notice.id = new.id AND delivery_status = ANY($2::text[]) AND dunning_notice.template = new.template
    AND (delivery_status = 'failed' OR coalesce(dunning_notice.message_id, new.message_id) = new.message_id)
"""
# The last level and notice of debts, anew from their notices: those that left, and those that still may.
_RESET_LEVELS = """
UPDATE receivable r SET dunning_level = coalesce(last.level, 0), last_notice_on = last.issued_on,
    last_notice_sent_on = last.sent_on,
    version = r.version + (r.dunning_level <> coalesce(last.level, 0))::integer
FROM unnest($1::uuid[]) AS told (id) LEFT JOIN (
    SELECT receivable_id, max(level) AS level, max(issued_on) AS issued_on, max(sent_on) AS sent_on
    FROM dunning_notice
    WHERE receivable_id = ANY($1::uuid[]) AND (delivery_status <> 'failed' OR sent_on IS NOT NULL)
    GROUP BY receivable_id
) last ON last.receivable_id = told.id
WHERE r.id = told.id AND (r.dunning_level, r.last_notice_on, r.last_notice_sent_on)
    IS DISTINCT FROM (coalesce(last.level, 0)::smallint, last.issued_on, last.sent_on)
RETURNING r.id, r.version, r.dunning_level
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
_FACTS = f"""
SELECT r.outstanding_pence, r.due_on, r.dunning_level AS last_level, r.last_notice_on, r.last_notice_sent_on, r.status,
    c.suppressed,
    r.debt_type, c.kind AS customer_kind,
    {KIND_IN_FORCE.format(as_at=":as_at")} AS hold_kind,
    EXISTS (SELECT FROM dunning_notice n WHERE n.receivable_id = r.id AND n.delivery_status IN ('issued', 'sent'))
        AS notice_under_way,
    EXISTS (SELECT FROM dunning_item i WHERE i.receivable_id = r.id AND i.state = 'proposed') AS in_another_proposal,
    {RECORDED_ON} AS recorded_on, unsent.issued_on AS unsent_on, coalesce(unsent.undeliverable, false) AS undeliverable
FROM receivable r JOIN customer c ON c.id = r.customer_id
CROSS JOIN LATERAL (
    SELECT max(n.issued_on) AS issued_on, bool_or({UNDELIVERABLE}) AS undeliverable FROM dunning_notice n
    WHERE n.receivable_id = r.id AND n.level = r.dunning_level + 1 AND n.delivery_status = 'failed'
        AND n.sent_on IS NULL
) unsent
WHERE r.id = :receivable_id
"""


class NewNotice(NamedTuple):
    """A row of notices, as COPY takes it."""

    id: UUID
    run_id: UUID
    receivable_id: UUID
    customer_id: UUID
    procedure_id: UUID
    level: int
    template: str
    channel: str
    issued_on: date
    due_on: date
    days_overdue: int
    outstanding_pence: int
    last_notice_on: date | None
    approved_by: str
    delivery_status: str
    delivery_at: Any


async def get_run(session: AsyncSession, run_id: UUID, *, lock: bool = False) -> DunningRun:
    """One run; raises RunNotFound."""
    run = await session.get(DunningRun, run_id, with_for_update=lock or None, populate_existing=True)
    if run is None:
        raise RunNotFound("There is no dunning run with this id.")
    return run


async def run_before(session: AsyncSession, run: DunningRun) -> DunningRun | None:
    """The last run before this one over the same debts that was not cancelled."""
    found: DunningRun | None = await session.scalar(
        select(DunningRun)
        .where(
            col(DunningRun.id) < run.id,
            col(DunningRun.status) != "cancelled",
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


async def states_of(session: AsyncSession, run_id: UUID) -> list[tuple[str, int, str | None, int, int]]:
    """The items of a run by state, level and reason: how many, and what they owed."""
    rows = await session.execute(
        select(
            col(DunningItem.state),
            col(DunningItem.level),
            col(DunningItem.reason),
            func.count(),
            func.sum(col(DunningItem.outstanding_pence)),
        )
        .where(col(DunningItem.run_id) == run_id)
        .group_by(col(DunningItem.state), col(DunningItem.level), col(DunningItem.reason))
        .order_by(col(DunningItem.state), col(DunningItem.level), col(DunningItem.reason))
    )
    return [(state, level, reason, count, int(pence)) for state, level, reason, count, pence in rows]


# Looked up item by item: a join makes PostgreSQL walk the ledger from its beginning for every page.
ITEM_NUMBER = (
    select(col(Receivable.number)).where(col(Receivable.id) == col(DunningItem.receivable_id)).scalar_subquery()
).label("number")


def items_where(
    run_id: UUID, *, state: str | None, level: int | None, reason: str | None, customer_id: UUID | None
) -> Select[Any]:
    """The items of a run with their receivables' numbers, filtered."""
    statement: Select[Any] = select(DunningItem).add_columns(ITEM_NUMBER).where(col(DunningItem.run_id) == run_id)
    if state is not None:
        statement = statement.where(col(DunningItem.state) == state)
    if level is not None:
        statement = statement.where(col(DunningItem.level) == level)
    if reason is not None:
        statement = statement.where(col(DunningItem.reason) == reason)
    if customer_id is not None:
        statement = statement.where(col(DunningItem.customer_id) == customer_id)
    return statement


async def get_item(session: AsyncSession, run_id: UUID, receivable_id: UUID, *, lock: bool = False) -> DunningItem:
    """One item; raises ItemNotFound."""
    item = await session.get(DunningItem, (run_id, receivable_id), with_for_update=lock or None, populate_existing=True)
    if item is None:
        raise ItemNotFound("This run has no item for this receivable.")
    return item


async def events_of(session: AsyncSession, run_id: UUID, receivable_id: UUID) -> list[DunningItemEvent]:
    """The edits of an item, oldest first."""
    rows = await session.scalars(
        select(DunningItemEvent)
        .where(col(DunningItemEvent.run_id) == run_id, col(DunningItemEvent.receivable_id) == receivable_id)
        .order_by(col(DunningItemEvent.id))
    )
    return list(rows)


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


async def cancel_items(session: AsyncSession, run_id: UUID) -> None:
    """Free the debts of a run that is given up."""
    await session.execute(
        update(DunningItem)
        .where(col(DunningItem.run_id) == run_id, col(DunningItem.state) == ItemState.PROPOSED)
        .values(state=ItemState.CANCELLED)
    )


async def dun(session: AsyncSession, receivable_ids: Sequence[UUID], levels: Sequence[int], *, on: date) -> None:
    """Note the last notice on the receivables."""
    connection = await driver(session)
    await connection.execute(_DUN, receivable_ids, levels, on)


class Told(NamedTuple):
    """What a message's event tells of a notice; `sent_on` where it had left."""

    notice_id: UUID
    at: datetime
    message_id: UUID
    template: str
    reason: str | None
    sent_on: date | None


async def lock_noticed(session: AsyncSession, notice_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The last levels of the debts of some notices, their rows locked in the order of their ids."""
    connection = await driver(session)
    return {row["id"]: row["dunning_level"] for row in await connection.fetch(_LOCK_NOTICED, notice_ids)}


async def note_delivery(
    session: AsyncSession, status: str, told: Sequence[Told], *, from_statuses: Sequence[str]
) -> None:
    """Move notices that stand at one of `from_statuses`."""
    connection = await driver(session)
    await connection.execute(_DELIVERY, status, list(from_statuses), *map(list, zip(*told, strict=True)))


async def reset_levels(session: AsyncSession, receivable_ids: Sequence[UUID]) -> list[tuple[UUID, int, int]]:
    """Bring the last level and notice of debts in line with their notices; (id, version, level) of what changed."""
    connection = await driver(session)
    rows = await connection.fetch(_RESET_LEVELS, receivable_ids)
    return [(row["id"], row["version"], row["dunning_level"]) for row in rows]


def notices_where(
    *,
    receivable_id: UUID | None,
    customer_id: UUID | None,
    run_id: UUID | None,
    level: int | None,
    delivery_status: str | None,
    ids: Sequence[UUID],
) -> Select[Any]:
    """The list of notices with their receivables' numbers, filtered."""
    statement: Select[Any] = (
        select(DunningNotice)
        .add_columns(col(Receivable.number))
        .join(Receivable, col(Receivable.id) == col(DunningNotice.receivable_id))
    )
    equal = {
        col(DunningNotice.receivable_id): receivable_id,
        col(DunningNotice.customer_id): customer_id,
        col(DunningNotice.run_id): run_id,
        col(DunningNotice.level): level,
        col(DunningNotice.delivery_status): delivery_status,
    }
    statement = statement.where(*(column == value for column, value in equal.items() if value is not None))
    return statement.where(col(DunningNotice.id).in_(ids)) if ids else statement


async def get_notice(session: AsyncSession, notice_id: UUID) -> tuple[DunningNotice, str]:
    """One notice and its receivable's number; raises NoticeNotFound."""
    statement = notices_where(
        receivable_id=None, customer_id=None, run_id=None, level=None, delivery_status=None, ids=[notice_id]
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NoticeNotFound("There is no dunning notice with this id.")
    return row[0], row[1]


async def facts_of(session: AsyncSession, receivable_id: UUID, *, as_at: date) -> tuple[Facts, str, str] | None:
    """What the rule needs to know of one debt, its type and its customer's kind; None when there is none."""
    row = (
        (await session.execute(text(_FACTS), {"receivable_id": receivable_id, "as_at": as_at})).mappings().one_or_none()
    )
    if row is None:
        return None
    values = dict(row)
    debt_type, kind = values.pop("debt_type"), values.pop("customer_kind")
    return Facts(**{**values, "status": Status(values["status"])}), debt_type, kind
