"""Every query of the room that only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import cast
from uuid import UUID

from council_common.clock import LONDON
from council_common.web.pages import PageQuery, fetch_page
from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from notification_service.messages.rules import NoSuchMessage, Period
from notification_service.messages.tables import Message, MessageEvent, Rendering

_ID = cast("ColumnElement[UUID]", col(Message.id))
_CREATED_AT = cast("ColumnElement[datetime]", col(Message.created_at))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages of the list; None means all."""

    template: str | None = None
    channel: str | None = None
    status: str | None = None
    recipient_kind: str | None = None
    recipient_id: UUID | None = None
    about_kind: str | None = None
    about_id: UUID | None = None


async def message_of(session: AsyncSession, message_id: UUID) -> Message:
    """One message; raises NoSuchMessage."""
    found = await session.get(Message, message_id)
    if found is None:
        raise NoSuchMessage("There is no message with this id.")
    return found


async def log_of(session: AsyncSession, message_id: UUID) -> Sequence[MessageEvent]:
    """The log of a message, oldest first; of a very long one the newest 1,000 entries."""
    statement = select(MessageEvent).where(col(MessageEvent.message_id) == message_id)
    newest = await session.execute(statement.order_by(col(MessageEvent.version).desc()).limit(1000))
    return newest.scalars().all()[::-1]


async def rendering_of(session: AsyncSession, message_id: UUID, number: int) -> Rendering | None:
    """The words of a message under a number; None where there are none yet."""
    return await session.get(Rendering, (message_id, number))


async def page_of_messages(
    session: AsyncSession, filter_: Filter, period: Period, query: PageQuery
) -> tuple[Sequence[Message], str | None]:
    """Messages that match, newest first unless asked otherwise."""
    statement = select(Message).where(*_within(period))
    for name in Filter.__dataclass_fields__:
        wanted = getattr(filter_, name)
        if wanted is not None:
            statement = statement.where(getattr(Message, name) == wanted)
    return await fetch_page(
        session,
        statement,
        query=query,
        sortable={"created_at": _CREATED_AT},
        default="-created_at",
        id_column=_ID,
    )


async def totals(session: AsyncSession, period: Period) -> Sequence[Row[str, str, str, int]]:
    """How many messages there are by template, channel and status."""
    groups = (col(Message.template), col(Message.channel), col(Message.status))
    statement = select(*groups, func.count().label("count")).where(*_within(period))
    return (await session.execute(statement.group_by(*groups).order_by(*groups))).all()


def _within(period: Period) -> list[ColumnElement[bool]]:
    conditions = []
    if period.first is not None:
        conditions.append(_midnight(period.first) <= _CREATED_AT)
    if period.last is not None:
        conditions.append(_midnight(period.last + timedelta(days=1)) > _CREATED_AT)
    return conditions


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON)
