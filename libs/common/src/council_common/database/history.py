"""Every change says who, when and why: one row a change, listed under `…/{id}/history`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.tables import change
from council_common.identity.actor import Actor
from council_common.ids import new_id

MOST_CHANGES = 1000


class ChangeOut(BaseModel):
    """One change: the version it made, when, who (subject id and the name shown), what, why and the values."""

    version: int
    at: datetime
    by: str
    by_name: str
    action: str
    reason: str | None
    detail: dict[str, Any]


async def record_change(
    session: AsyncSession,
    *,
    entity: str,
    entity_id: UUID,
    version: int,
    action: str,
    by: Actor,
    at: datetime,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add one change to the history of a thing; committed with the change itself."""
    await session.execute(
        insert(change).values(
            id=new_id(),
            entity=entity,
            entity_id=entity_id,
            version=version,
            at=at,
            by=by.subject,
            by_name=by.name,
            action=action,
            reason=reason,
            detail=detail or {},
        )
    )


async def history_of(session: AsyncSession, entity_id: UUID) -> list[ChangeOut]:
    """The changes of one thing, oldest first; of more than 1,000 the newest, which nobody can bury under others."""
    rows = await session.execute(
        select(change)
        .where(change.c.entity_id == entity_id)
        .order_by(change.c.at.desc(), change.c.id.desc())
        .limit(MOST_CHANGES)
    )
    return [ChangeOut.model_validate(dict(row)) for row in reversed(rows.mappings().all())]
