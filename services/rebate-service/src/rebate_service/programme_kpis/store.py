"""The statements on the programme's figures, and on the sectors its suppliers belong to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from council_common.contracts.suppliers import SupplierChangedV1, SupplierRegisteredV1
from council_common.database.sessions import driver
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    Numeric,
    RowMapping,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rebate_service.agreements.tables import AgreementVersion
from rebate_service.programme_kpis.rules import Breakdown, Tally, bucket_name
from rebate_service.programme_kpis.tables import SupplierSector
from rebate_service.rebates.rules import MissedCause, RebateStatus
from rebate_service.rebates.tables import Rebate

_COUNTED = (RebateStatus.EXPECTED, RebateStatus.LOST, RebateStatus.EARNED, RebateStatus.MISSED)

_KEEP_SECTORS = """
INSERT INTO supplier_sector (supplier_id, market_sector, version)
SELECT supplier_id, market_sector, version
FROM unnest($1::uuid[], $2::text[], $3::int[]) AS fact (supplier_id, market_sector, version)
ORDER BY supplier_id
ON CONFLICT (supplier_id) DO UPDATE SET market_sector = excluded.market_sector, version = excluded.version
WHERE supplier_sector.version < excluded.version
"""


class Period(NamedTuple):
    """From a day to a day, as it stood at the end of a third: what was paid later was not paid then."""

    first: date
    last: date
    as_at: date


async def keep_sectors(session: AsyncSession, events: Sequence[SupplierRegisteredV1 | SupplierChangedV1]) -> None:
    """Remember the market sectors of different suppliers; what is newer here stays."""
    columns = zip(*((event.supplier_id, event.market_sector, event.version) for event in events), strict=True)
    await (await driver(session)).execute(_KEEP_SECTORS, *map(list, columns))


async def tallies(
    session: AsyncSession, by: Breakdown, period: Period, *, suppliers: Sequence[UUID] | None = None
) -> list[Tally]:
    """Rebates of a period, counted and summed; of some suppliers only where they are given."""
    agreed, as_at = AgreementVersion, literal(period.as_at)
    is_paid = _is_paid(period)
    elapsed = case((is_paid, col(Rebate.elapsed_days)))
    is_over = col(Rebate.clock_started_on) + col(agreed.term_days) <= as_at
    status = case(
        (is_paid, cast(col(Rebate.status), Text)), (is_over, RebateStatus.LOST.value), else_=RebateStatus.EXPECTED.value
    )
    on_target = func.coalesce(elapsed <= col(agreed.target_day), false())
    earned = and_(is_paid, col(Rebate.status) == RebateStatus.EARNED)
    beyond = case((earned, col(Rebate.rebate_pence) - col(Rebate.expected_pence)), else_=0)
    winnable = _winnable(as_at)
    cause = case((is_paid, col(Rebate.cause)))
    statement = (
        select(
            _bucket(by, status, cause, on_target, period).label("bucket"),
            status.label("state"),
            elapsed.label("elapsed"),
            on_target.label("reached"),
            cause.label("why"),
            func.count().label("rebates"),
            _sum(col(Rebate.base_pence)).label("base_pence"),
            _sum(col(Rebate.expected_pence)).label("expected_pence"),
            _sum(case((is_paid, col(Rebate.rebate_pence)), else_=0)).label("rebate_pence"),
            _sum(case((is_paid, col(Rebate.deducted_pence)), else_=0)).label("deducted_pence"),
            _sum(case((is_paid, col(Rebate.variance_pence)), else_=0)).label("variance_pence"),
            _sum(func.greatest(beyond, 0)).label("early_pence"),
            _sum(func.greatest(-beyond, 0)).label("late_pence"),
            _sum(winnable).label("winnable_pence"),
            _sum(func.greatest(col(Rebate.expected_pence) - winnable, 0)).label("ebbed_pence"),
        )
        .join(
            agreed,
            and_(
                col(agreed.agreement_id) == col(Rebate.agreement_id),
                col(agreed.number) == col(Rebate.agreement_version),
            ),
        )
        .where(_in_period(period))
        # By names that no column has: PostgreSQL takes a column first.
        .group_by("bucket", "state", "elapsed", "reached", "why")
    )
    if by is Breakdown.SECTOR:
        statement = statement.outerjoin(SupplierSector, col(SupplierSector.supplier_id) == col(Rebate.supplier_id))
    if suppliers is not None:
        statement = statement.where(col(Rebate.supplier_id).in_(suppliers))
    rows = (await session.execute(statement)).mappings()
    return [_tally(by, row) for row in rows]


def _tally(by: Breakdown, row: RowMapping) -> Tally:
    sums = {name: row[name] for name in Tally._fields if name in row and name != "bucket"}
    return Tally(
        bucket=bucket_name(by, row["bucket"]),
        status=row["state"],
        elapsed_days=row["elapsed"],
        on_target=row["reached"],
        cause=row["why"],
        **sums,
    )


async def suppliers_after(session: AsyncSession, after: UUID, period: Period, *, limit: int) -> list[UUID]:
    """The next suppliers with rebates in a period, in order of their ids."""
    supplier_id = col(Rebate.supplier_id)
    statement = select(supplier_id).distinct().where(_in_period(period), supplier_id > after)
    return list((await session.execute(statement.order_by(supplier_id).limit(limit))).scalars())


def _is_paid(period: Period) -> ColumnElement[bool]:
    return func.coalesce(col(Rebate.remitted_on) <= period.as_at, false())


def _in_period(period: Period) -> ColumnElement[bool]:
    """A payment counts on the day its file was sent; what is not paid by then on the day it should have been."""
    sent_on, target_on = col(Rebate.remitted_on), col(Rebate.target_on)
    unpaid = or_(sent_on.is_(None), sent_on > period.as_at)
    return and_(
        col(Rebate.status).in_(_COUNTED),
        col(Rebate.received_on) <= period.as_at,
        or_(
            and_(sent_on.between(period.first, period.last), sent_on <= period.as_at),
            and_(unpaid, target_on.between(period.first, period.last)),
        ),
    )


def _winnable(as_at: ColumnElement[date]) -> ColumnElement[int]:
    """What paying on a day would earn: what the target day would, by the days that are left of the term.

    To the penny of each invoice where that is what the rule gives, else a penny beside it: quotes say it exactly.
    """
    agreed = AgreementVersion
    elapsed = func.greatest(cast(as_at - col(Rebate.clock_started_on), Integer), 0)
    left = func.greatest(col(agreed.term_days) - elapsed, 0)
    by_day = cast(col(Rebate.expected_pence), Numeric) * left / (col(agreed.term_days) - col(agreed.target_day))
    return cast(func.round(by_day), BigInteger)


def _bucket(
    by: Breakdown,
    status: ColumnElement[Any],
    cause: ColumnElement[Any],
    on_target: ColumnElement[bool],
    period: Period,
) -> ColumnElement[Any]:
    match by:
        case Breakdown.TOTAL:
            return literal("")
        case Breakdown.SUPPLIER:
            return cast(col(Rebate.supplier_id), Text)
        case Breakdown.SECTOR:
            return func.coalesce(col(SupplierSector.market_sector), "")
        case Breakdown.DEPARTMENT:
            return func.coalesce(col(Rebate.department), "")
        case Breakdown.CAUSE:
            return case(
                (status == RebateStatus.LOST.value, MissedCause.TERM_OVER.value),
                (status == RebateStatus.MISSED.value, cause),
                (status == RebateStatus.EARNED.value, case((on_target, "in_time"), else_="after_target_day")),
                (col(Rebate.target_on) < period.as_at, "open_after_target_day"),
                else_="open",
            )
    day = cast(func.coalesce(case((_is_paid(period), col(Rebate.remitted_on))), col(Rebate.target_on)), DateTime)
    return func.date_trunc(by.value, day)


def _sum(column: Any) -> ColumnElement[int]:
    return cast(func.sum(column), BigInteger)
