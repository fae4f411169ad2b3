"""Whether the caller of a route may record under a source system's name; the first system to use one binds it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.source_systems import SourceSystemBinding, all_callers, lock_bindings
from council_common.identity.actor import Actor
from council_common.identity.source_systems import VOUCHES, CallerKind, is_one_of, key_of, of_others
from council_common.ids import new_id
from council_common.recording import fact, record
from council_common.runtime.service_runtime import Runtime
from council_common.web.bulk import Outcome, refused

T = TypeVar("T")


class Speaker:
    """The caller of a route, who speaks for source systems."""

    def __init__(self, runtime: Runtime, by: Actor, at: datetime, session: AsyncSession | None = None) -> None:
        self._runtime = runtime
        self._by = by
        self._at = at
        self._session = session

    async def may_use(self, system: str, *, field: str = "source.system") -> None:
        """Raise SourceSystemOfOthers for a name that is bound to others."""
        if await self.refused({system}):
            raise of_others(system, field=field)

    async def own(self, items: Sequence[tuple[int, T]]) -> tuple[list[tuple[int, T]], list[Outcome]]:
        """Of a bulk's items with their index those whose `source` is the caller's, and the outcomes of the others."""
        names = [_system_of(item) for _, item in items]
        wrong = await self.refused(set(names))
        if not wrong:
            return list(items), []
        kept = [each for each, name in zip(items, names, strict=True) if name not in wrong]
        others = [refused(each[0], of_others(name)) for each, name in zip(items, names, strict=True) if name in wrong]
        return kept, others

    async def refused(self, systems: Collection[str]) -> set[str]:
        """Those of some names that are bound to others. A system binds the names that nobody was bound to."""
        if VOUCHES in self._by.scopes:
            return set()
        bindings = self._runtime.bindings
        if not bindings.are_fresh:
            await self._read()
        if self._by.client is not None and (new := [name for name in systems if bindings.of(name) is None]):
            await self._bind_first(new)
        known = {name: bindings.of(name) for name in systems}
        return {name for name, callers in known.items() if callers is not None and not is_one_of(self._by, callers)}

    async def _read(self) -> None:
        async with self._transaction() as session:
            self._runtime.bindings.keep(await all_callers(session))

    async def _bind_first(self, systems: Collection[str]) -> None:
        """Bind names to this system, unless somebody was quicker. A request that fails later may have bound them."""
        async with self._transaction() as session:
            await lock_bindings(session)
            callers = dict(await all_callers(session))
            for name in systems:
                if key_of(name) not in callers:
                    caller = CallerKind.CLIENT, str(self._by.client)
                    made = binding_of(name, *caller, by=self._by, at=self._at, first=True)
                    await record(session, fact(made, "bound", reason="first_use"), by=self._by, at=self._at)
                    callers[key_of(name)] = frozenset({caller})
        self._runtime.bindings.keep(callers)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncSession]:
        """The request's own, where it has one: it must not wait for a second connection."""
        if isinstance(self._session, AsyncSession):
            yield self._session
            return
        async with self._runtime.sessions.begin() as session:
            yield session


def binding_of(
    system: str, kind: CallerKind, caller: str, *, by: Actor, at: datetime, first: bool = False
) -> SourceSystemBinding:
    """A new binding, not yet recorded."""
    return SourceSystemBinding(
        id=new_id(),
        version=0,
        system=system,
        system_key=key_of(system),
        caller_kind=kind,
        caller=caller,
        first_use=first,
        bound_by=by.subject,
        bound_by_name=by.name,
        bound_at=at,
    )


def _system_of(item: Any) -> str:
    source = getattr(item, "source", None)
    return str(item.source_system if source is None else source.system)
