"""The table of bindings of source systems, and the statements on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field

from council_common.database.columns import UTC_TIME, EnumText, Listed
from council_common.database.tables import PlatformRow
from council_common.identity.source_systems import Caller, CallerKind
from council_common.ids import lock_key


class SourceSystemBinding(Listed, PlatformRow, table=True):
    """A caller that may record under a source system's name, from a moment until it is ended; never edited."""

    __tablename__ = "source_system_binding"
    __table_args__ = (
        Index(
            "uq_source_system_binding_in_force",
            "system_key",
            "caller_kind",
            "caller",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(None, "bound_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    system: str = Field(sa_type=Text)
    system_key: str = Field(sa_type=Text)
    caller_kind: CallerKind = Field(sa_type=EnumText(CallerKind))
    caller: str = Field(sa_type=Text)
    first_use: bool
    bound_by: str = Field(sa_type=Text)
    bound_by_name: str = Field(sa_type=Text)
    bound_at: datetime = Field(sa_type=UTC_TIME)
    ended_by: str | None = Field(default=None, sa_type=Text)
    ended_by_name: str | None = Field(default=None, sa_type=Text)
    ended_at: datetime | None = Field(default=None, sa_type=UTC_TIME)


_C = SourceSystemBinding.__table__.c  # type: ignore[attr-defined]


async def all_callers(session: AsyncSession) -> Mapping[str, frozenset[Caller]]:
    """The callers of every name that was ever bound, by its key: none where each binding was ended."""
    callers: defaultdict[str, set[Caller]] = defaultdict(set)
    for row in await session.execute(select(_C.system_key, _C.caller_kind, _C.caller, _C.ended_at)):
        callers[row.system_key] |= {(row.caller_kind, row.caller)} if row.ended_at is None else set()
    return {key: frozenset(found) for key, found in callers.items()}


async def lock_bindings(session: AsyncSession) -> None:
    """Until the transaction ends nothing else is bound."""
    await session.execute(select(func.pg_advisory_xact_lock(lock_key("source-systems"))))
