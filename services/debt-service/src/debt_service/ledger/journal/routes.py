"""The journal over HTTP. An entry never changes: it has no version and no history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from council_common.service.api import resource_router
from council_common.web.resource_routes import export_route, list_route, read_route
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.ledger.journal import store
from debt_service.ledger.journal.lists import JournalList
from debt_service.ledger.journal.schemas import JournalEntryOut
from debt_service.ledger.journal.tables import JournalEntry

router = resource_router("journal")


async def _with_lines(session: AsyncSession, entries: Sequence[Any]) -> list[JournalEntryOut]:
    lines = await store.lines_of(session, [entry.id for entry in entries])
    return [JournalEntryOut.of(entry, lines[entry.id]) for entry in entries]


list_route(router, JournalList, JournalEntryOut, scope="journal:read", show=_with_lines)
export_route(router, JournalList, scope="journal:read")
read_route(router, JournalEntryOut, of=JournalEntry, scope="journal:read", show=_with_lines)
