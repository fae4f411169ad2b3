"""Every change says who, when and why: one line a change, listed under `…/{id}/history`, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
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

    @classmethod
    def of(cls, change: Any) -> ChangeOut:
        """From a stored change."""
        return cls.model_validate(change, from_attributes=True)


class HistoryQuery(PageQuery):
    """Which page of a history."""

    limit: PageLimit = MAX_LIMIT

    def limit_behind(self, first: Sequence[ChangeOut]) -> int:
        """How many stored changes go on the page behind those that the thing's own row holds."""
        return max(1, self.limit - len(first))


async def history_page(
    session: AsyncSession, entity_id: UUID, query: HistoryQuery, *, first: Sequence[ChangeOut] = ()
) -> Page[ChangeOut]:
    """One page of the changes of a thing, oldest first; `first` are those of the first page that its row holds."""
    statement = select(change).where(change.c.entity_id == entity_id)
    limit = query.limit_behind(first)
    rows, following = await fetch_page(session, statement, ORDER, limit=limit, cursor=query.cursor)
    stored = [ChangeOut.of(row) for row in rows]
    return Page(items=[*first, *stored], next=following)
