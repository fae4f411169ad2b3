"""The statements on the programme's figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, DateTime, Text, and_, cast, false, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rebate_service.agreements.tables import AgreementVersion
from rebate_service.programme_kpis.rules import Breakdown, Tally, bucket_name
from rebate_service.rebates.rules import RebateStatus
from rebate_service.rebates.tables import Rebate

_COUNTED = (RebateStatus.EXPECTED, RebateStatus.EARNED, RebateStatus.MISSED)


async def tallies(
    session: AsyncSession, by: Breakdown, *, first: date, last: date, suppliers: Sequence[UUID] | None = None
) -> list[Tally]:
    """Rebates of a period, counted and summed; of some suppliers only where they are given."""
    agreed = AgreementVersion
    on_target = func.coalesce(col(Rebate.elapsed_days) <= col(agreed.target_day), false()).label("on_target")
    statement = (
        select(
            _bucket(by).label("bucket"),
            col(Rebate.status),
            col(Rebate.elapsed_days),
            on_target,
            func.count().label("rebates"),
            _sum(Rebate.base_pence).label("base_pence"),
            _sum(Rebate.expected_pence).label("expected_pence"),
            _sum(Rebate.rebate_pence).label("rebate_pence"),
            _sum(Rebate.deducted_pence).label("deducted_pence"),
            _sum(Rebate.variance_pence).label("variance_pence"),
        )
        .join(
            agreed,
            and_(
                col(agreed.agreement_id) == col(Rebate.agreement_id),
                col(agreed.number) == col(Rebate.agreement_version),
            ),
        )
        .where(_in_period(first, last))
        .group_by("bucket", "status", "elapsed_days", "on_target")
    )
    if suppliers is not None:
        statement = statement.where(col(Rebate.supplier_id).in_(suppliers))
    rows = (await session.execute(statement)).mappings()
    return [Tally(**{**row, "bucket": bucket_name(by, row["bucket"])}) for row in rows]


async def suppliers_after(session: AsyncSession, after: UUID, *, first: date, last: date, limit: int) -> list[UUID]:
    """The next suppliers with rebates in a period, in order of their ids."""
    supplier_id = col(Rebate.supplier_id)
    statement = select(supplier_id).distinct().where(_in_period(first, last), supplier_id > after)
    return list((await session.execute(statement.order_by(supplier_id).limit(limit))).scalars())


def _in_period(first: date, last: date) -> ColumnElement[bool]:
    """A payment counts on the day its file was sent; what is not paid yet on the day it should have been."""
    sent_on, target_on = col(Rebate.remitted_on), col(Rebate.target_on)
    return and_(
        col(Rebate.status).in_(_COUNTED),
        or_(sent_on.between(first, last), and_(sent_on.is_(None), target_on.between(first, last))),
    )


def _bucket(by: Breakdown) -> ColumnElement[Any]:
    match by:
        case Breakdown.TOTAL:
            return literal("")
        case Breakdown.SUPPLIER:
            return cast(col(Rebate.supplier_id), Text)
    day = cast(func.coalesce(col(Rebate.remitted_on), col(Rebate.target_on)), DateTime)
    return func.date_trunc(by.value, day)


def _sum(column: Any) -> ColumnElement[int]:
    return cast(func.sum(col(column)), BigInteger)
