"""The statements on notices: issuing them, their delivery, and the facts from which the next one follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from council_common.database.many_rows import copy_rows
from council_common.database.sessions import driver
from sqlalchemy import Date, FromClause, cast, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.arrangements.holds.store import reason_in_force
from debt_service.cash.receipts.store import on_account_of
from debt_service.ledger.customers.rules import Channel, unreachable_by
from debt_service.ledger.customers.tables import Customer
from debt_service.ledger.receivables.tables import Receivable
from debt_service.recovery.dunning_runs.rules import (
    UNDER_WAY,
    DeliveryStatus,
    DunningFacts,
    ItemState,
)
from debt_service.recovery.dunning_runs.tables import DunningItem, DunningNotice

_RAISE_LEVELS = """
UPDATE receivable SET dunning_level = new.level, last_notice_on = $3, last_notice_sent_on = NULL, version = version + 1
FROM unnest($1::uuid[], $2::smallint[]) AS new (id, level) WHERE receivable.id = new.id
"""
_LOCK_NOTICED = """
SELECT id, dunning_level FROM receivable
WHERE id IN (SELECT receivable_id FROM dunning_notice WHERE id = ANY($1::uuid[])) ORDER BY id FOR UPDATE
"""
# Only those that a report may mark: every other stays free for whoever reads.
_LOCK_CUSTOMERS = """
SELECT c.id FROM customer c JOIN (
    SELECT customer_id, bool_or(id = ANY($2::uuid[])) AS failed
    FROM dunning_notice WHERE id = ANY($1::uuid[]) GROUP BY 1
) noticed ON noticed.customer_id = c.id
WHERE noticed.failed OR c.email_failed_at IS NOT NULL OR c.letter_failed_at IS NOT NULL
ORDER BY c.id FOR NO KEY UPDATE OF c
"""
# Only by its own template and, until it failed, by its own message: a message by hand about a notice is not the notice.
# What left once has left, whatever comes of sending it again.
_DELIVERY = """
UPDATE dunning_notice SET delivery_status = $1, delivery_at = new.at, message_id = new.message_id,
    failure_reason = new.reason,
    sent_on = CASE WHEN $1 = 'sent' THEN new.sent_on ELSE coalesce(dunning_notice.sent_on, new.sent_on) END
FROM unnest($3::uuid[], $4::timestamptz[], $5::uuid[], $6::text[], $7::text[], $8::date[])
     AS new (id, at, message_id, template, reason, sent_on)
WHERE dunning_notice.id = new.id AND delivery_status = ANY($2::text[]) AND dunning_notice.template = new.template
    AND (delivery_status = 'failed' OR coalesce(dunning_notice.message_id, new.message_id) = new.message_id)
RETURNING dunning_notice.customer_id, dunning_notice.channel, new.at, new.reason
"""
# The last level and notice of debts, anew from their notices: those that left, and those that still may.
_RESET_LEVELS = """
UPDATE receivable r SET dunning_level = coalesce(last.level, 0), last_notice_on = last.issued_on,
    last_notice_sent_on = last.sent_on,
    version = r.version + (r.dunning_level <> coalesce(last.level, 0))::integer
FROM unnest($1::uuid[]) AS debt (id) LEFT JOIN (
    SELECT receivable_id, max(level) AS level, max(issued_on) AS issued_on, max(sent_on) AS sent_on
    FROM dunning_notice
    WHERE receivable_id = ANY($1::uuid[]) AND (delivery_status <> 'failed' OR sent_on IS NOT NULL)
    GROUP BY receivable_id
) last ON last.receivable_id = debt.id
WHERE r.id = debt.id AND (r.dunning_level, r.last_notice_on, r.last_notice_sent_on)
    IS DISTINCT FROM (coalesce(last.level, 0)::smallint, last.issued_on, last.sent_on)
RETURNING r.id, r.version, r.dunning_level
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
    approved_by_name: str
    delivery_status: str
    delivery_at: Any


async def add_notices(session: AsyncSession, notices: Sequence[NewNotice]) -> None:
    """Add notices by COPY."""
    await copy_rows(session, "dunning_notice", NewNotice._fields, notices)


async def raise_levels(
    session: AsyncSession, receivable_ids: Sequence[UUID], levels: Sequence[int], *, on: date
) -> None:
    """Note on receivables the level and day of a notice just issued."""
    connection = await driver(session)
    await connection.execute(_RAISE_LEVELS, receivable_ids, levels, on)


class DeliveryReport(NamedTuple):
    """What a message's event reports of a notice; `sent_on` is None where it never left."""

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


async def lock_customers(session: AsyncSession, notice_ids: Sequence[UUID], failed_ids: Sequence[UUID]) -> None:
    """Lock, before their debts, the customers whose address some notices' fates say something about."""
    connection = await driver(session)
    await connection.execute(_LOCK_CUSTOMERS, notice_ids, failed_ids)


async def note_delivery(
    session: AsyncSession, status: str, reports: Sequence[DeliveryReport], *, from_statuses: Sequence[str]
) -> list[Any]:
    """Move notices that stand at one of `from_statuses`; of those moved: customer_id, channel, at and reason."""
    connection = await driver(session)
    moved: list[Any] = await connection.fetch(
        _DELIVERY, status, list(from_statuses), *map(list, zip(*reports, strict=True))
    )
    return moved


async def reset_levels(session: AsyncSession, receivable_ids: Sequence[UUID]) -> list[tuple[UUID, int, int]]:
    """Bring the last level and notice of debts in line with their notices; (id, version, level) of what changed."""
    connection = await driver(session)
    rows = await connection.fetch(_RESET_LEVELS, receivable_ids)
    return [(row["id"], row["version"], row["dunning_level"]) for row in rows]


async def facts_of(session: AsyncSession, receivable_id: UUID, *, as_at: date) -> tuple[DunningFacts, str, str] | None:
    """What the rule needs to know of one debt, its type and its customer's kind; None when there is none.

    `selection.py` restates it over all debts; a test holds both to the same facts.
    """
    of_debt = col(DunningNotice.receivable_id) == col(Receivable.id)
    under_way = select(col(DunningNotice.id)).where(of_debt, col(DunningNotice.delivery_status).in_(UNDER_WAY)).exists()
    proposed = (
        select(col(DunningItem.run_id))
        .where(col(DunningItem.receivable_id) == col(Receivable.id), col(DunningItem.state) == ItemState.PROPOSED)
        .exists()
    )
    unsent = _unsent_notices()
    row: Any = (
        await session.execute(
            select(
                col(Receivable.outstanding_pence),
                col(Receivable.due_on),
                col(Receivable.dunning_level).label("last_level"),
                col(Receivable.last_notice_on),
                col(Receivable.last_notice_sent_on),
                col(Receivable.status),
                col(Receivable.debt_type),
                col(Customer.kind).label("customer_kind"),
                col(Customer.suppressed),
                reason_in_force(as_at).label("hold_reason"),
                under_way.label("notice_under_way"),
                proposed.label("in_another_proposal"),
                cast(func.timezone("Europe/London", col(Receivable.created_at)), Date).label("recorded_on"),
                unsent.c.issued_on.label("unsent_on"),
                col(Customer.preferred_channel),
                col(Customer.email).is_not(None).label("has_email"),
                col(Customer.email_failed_at),
                col(Customer.letter_failed_at),
                func.coalesce(on_account_of(col(Receivable.customer_id)), 0).label("on_account_pence"),
            )
            .join(Customer, col(Customer.id) == col(Receivable.customer_id))
            .join(unsent, true())
            .where(col(Receivable.id) == receivable_id)
        )
    ).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)
    debt_type, kind = values.pop("debt_type"), values.pop("customer_kind")
    failed = {channel for channel in Channel if values.pop(f"{channel}_failed_at") is not None}
    values["unreachable_by"] = unreachable_by(
        values.pop("preferred_channel"), has_email=values.pop("has_email"), failed=failed
    )
    return DunningFacts(**values), debt_type, kind


def _unsent_notices() -> FromClause:
    """A debt's notices of its next level that never left: the last issue day."""
    return (
        select(func.max(col(DunningNotice.issued_on)).label("issued_on"))
        .where(
            col(DunningNotice.receivable_id) == col(Receivable.id),
            col(DunningNotice.level) == col(Receivable.dunning_level) + 1,
            col(DunningNotice.delivery_status) == DeliveryStatus.FAILED,
            col(DunningNotice.sent_on).is_(None),
        )
        .correlate(Receivable)
        .lateral("unsent")
    )
