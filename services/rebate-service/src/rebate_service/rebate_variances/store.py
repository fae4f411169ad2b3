"""The statements on variances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from council_common.identity.actor import Actor
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rebate_service.rebate_variances.rules import Resolution, VarianceStatus
from rebate_service.rebate_variances.tables import RebateVariance


async def lock_open_variances(session: AsyncSession, rebate_ids: Iterable[UUID]) -> list[RebateVariance]:
    """The open variances of some rebates, locked in order of their ids."""
    rows = await session.execute(
        select(RebateVariance)
        .where(col(RebateVariance.rebate_id).in_(list(rebate_ids)), col(RebateVariance.status) == VarianceStatus.OPEN)
        .order_by(col(RebateVariance.id))
        .with_for_update()
    )
    return list(rows.scalars())


async def resolve_open_variances(
    session: AsyncSession, resolutions: Mapping[UUID, Resolution], *, at: datetime, by: Actor
) -> list[RebateVariance]:
    """Resolve the open variances of some rebates, each as its rebate says; returns those there were."""
    variances = await lock_open_variances(session, resolutions) if resolutions else []
    for variance in variances:
        variance.version += 1
        variance.status, variance.resolution = VarianceStatus.RESOLVED, resolutions[variance.rebate_id]
        variance.resolved_at, variance.resolved_by, variance.resolved_by_name = at, by.subject, by.name
    await session.flush()
    return variances


async def insert_variances(session: AsyncSession, variances: Sequence[RebateVariance]) -> None:
    """Store new variances."""
    if variances:
        await session.execute(insert(RebateVariance), [variance.model_dump() for variance in variances])
