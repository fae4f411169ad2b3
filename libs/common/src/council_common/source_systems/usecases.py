"""Binding source systems to their callers, and ending it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.rows import lock_row
from council_common.database.source_systems import SourceSystemBinding, all_callers, lock_bindings
from council_common.identity.actor import Actor
from council_common.identity.source_systems import CallerKind, key_of
from council_common.recording import fact, record
from council_common.source_systems import rules
from council_common.web.source_systems import binding_of


async def bind_source_system(
    session: AsyncSession, system: str, kind: CallerKind, caller: str, *, note: str, by: Actor, at: datetime
) -> SourceSystemBinding:
    """Let a client or a role record under a name; others no longer may. Raises BindsOneself and AlreadyBound."""
    rules.check_caller((kind, caller), by)
    await lock_bindings(session)
    if (kind, caller) in (await all_callers(session)).get(key_of(system), ()):
        raise rules.AlreadyBound("This caller may use this source system already.")
    binding = binding_of(system, kind, caller, by=by, at=at)
    await record(session, fact(binding, "bound", detail={"note": note}), by=by, at=at)
    return binding


async def end_binding(
    session: AsyncSession, binding_id: UUID, *, note: str, by: Actor, at: datetime
) -> SourceSystemBinding:
    """Take a name from a caller, once; with the last one nobody may use it. Raises BindsOneself and BindingEnded."""
    binding = await lock_row(session, SourceSystemBinding, binding_id)
    rules.check_caller((binding.caller_kind, binding.caller), by)
    if binding.ended_at is not None:
        raise rules.BindingEnded("This binding was ended before.")
    binding.ended_by, binding.ended_by_name, binding.ended_at = by.subject, by.name, at
    await record(session, fact(binding, "ended", detail={"note": note}), by=by, at=at)
    return binding
