"""Every change says who, when and why: one line a change, listed under `…/{id}/history`, oldest first."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.tables import change
from council_common.web.keyset import MAX_LIMIT, Order, Page, fetch_page
from council_common.web.query_models import PageLimit, PageQuery

ORDER = Order("version", change.c.version, change.c.version)


class ChangeOut(BaseModel):
    """One change: the version it made, when, who (subject id and the name shown), what, why and the values."""

    version: int
    at: datetime
    by: str
    by_name: str
    action: str
    reason: str | None
    detail: dict[str, Any]


class HistoryQuery(PageQuery):
    """Which page of a history."""

    limit: PageLimit = MAX_LIMIT


async def history_page(session: AsyncSession, entity_id: UUID, query: HistoryQuery) -> Page[ChangeOut]:
    """One page of the changes of a thing, oldest first."""
    statement = select(change).where(change.c.entity_id == entity_id)
    rows, following = await fetch_page(session, statement, ORDER, limit=query.limit, cursor=query.cursor)
    return Page(items=[ChangeOut.model_validate(row, from_attributes=True) for row in rows], next=following)
