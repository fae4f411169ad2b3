"""Every change says who, when and why: one line a change, listed under `…/{id}/history`, oldest first."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.tables import change
from council_common.web.keyset import MAX_LIMIT, Order, Page, fetch_page
from council_common.web.query_models import QueryModel

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


class HistoryQuery(QueryModel):
    """Which page of a history."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Changes on a page.")] = MAX_LIMIT
    cursor: Annotated[str | None, Field(max_length=1000, description="`next` of the page before.")] = None


async def history_page(session: AsyncSession, entity_id: UUID, query: HistoryQuery) -> Page[ChangeOut]:
    """One page of the changes of a thing, oldest first."""
    statement = select(change).where(change.c.entity_id == entity_id)
    rows, following = await fetch_page(session, statement, ORDER, limit=query.limit, cursor=query.cursor)
    return Page(items=[ChangeOut.model_validate(row, from_attributes=True) for row in rows], next=following)
