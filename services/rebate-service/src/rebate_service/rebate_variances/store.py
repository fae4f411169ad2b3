"""Every query of the variances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from council_common.database.tables import change
from council_common.errors import NotFound
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.web.pages import PageQuery, fetch_page
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rebate_service.rebate_variances.rules import Resolution, VarianceStatus
from rebate_service.rebate_variances.tables import RebateVariance
from rebate_service.rebates.rules import VarianceCause


async def resolve_open_variances(
    session: AsyncSession, resolutions: Mapping[UUID, Resolution], *, at: datetime, by: Actor
) -> list[RebateVariance]:
    """Resolve the open variances of some rebates, with their line of history; returns those there were."""
    rows = await session.execute(
        select(RebateVariance)
        .where(col(RebateVariance.rebate_id).in_(list(resolutions)), col(RebateVariance.status) == VarianceStatus.OPEN)
        .order_by(col(RebateVariance.id))
        .with_for_update()
    )
    variances = list(rows.scalars())
    if not variances:
        return []
    resolved = [
        {
            "id": variance.id,
            "version": variance.version + 1,
            "status": VarianceStatus.RESOLVED,
            "resolution": resolutions[variance.rebate_id].value,
            "resolved_at": at,
            "resolved_by": by.subject,
        }
        for variance in variances
    ]
    changes = [
        {
            "id": new_id(),
            "entity": "rebate_variance",
            "entity_id": values["id"],
            "version": values["version"],
            "at": at,
            "by": by.subject,
            "by_name": by.name,
            "action": "resolved",
            "reason": None,
            "detail": {"resolution": values["resolution"]},
        }
        for values in resolved
    ]
    await session.execute(update(RebateVariance), resolved)
    await session.execute(insert(change), changes)
    return variances


async def insert_variances(session: AsyncSession, variances: Sequence[RebateVariance]) -> None:
    """Store new variances."""
    if variances:
        await session.execute(insert(RebateVariance), [variance.model_dump() for variance in variances])


async def lock_variance(session: AsyncSession, variance_id: UUID) -> RebateVariance:
    """A variance as it is now, locked; raises NotFound."""
    variance = await session.get(RebateVariance, variance_id, with_for_update=True, populate_existing=True)
    if variance is None:
        raise NotFound("There is no variance with this id.")
    return variance


async def get_variance(session: AsyncSession, variance_id: UUID) -> RebateVariance:
    """A variance; raises NotFound."""
    variance = await session.get(RebateVariance, variance_id)
    if variance is None:
        raise NotFound("There is no variance with this id.")
    return variance


async def page_of_variances(
    session: AsyncSession,
    query: PageQuery,
    *,
    cause: VarianceCause | None,
    status: VarianceStatus | None,
    supplier_id: UUID | None,
) -> tuple[Sequence[RebateVariance], str | None]:
    """Variances, newest first."""
    statement = select(RebateVariance)
    if cause is not None:
        statement = statement.where(col(RebateVariance.cause) == cause)
    if status is not None:
        statement = statement.where(col(RebateVariance.status) == status)
    if supplier_id is not None:
        statement = statement.where(col(RebateVariance.supplier_id) == supplier_id)
    sortable = {"id": RebateVariance.id, "difference_pence": RebateVariance.difference_pence}
    return await fetch_page(
        session, statement, query=query, sortable=sortable, default="-id", id_column=RebateVariance.id
    )
