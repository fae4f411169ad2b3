"""/v1/journal: what is on the books."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import SessionDep, requires
from council_common.web.pages import Page, PageQuery, fetch_page
from fastapi import Depends

from debt_service.fields import Day
from debt_service.ledger.journal import store
from debt_service.ledger.journal.rules import Account, Fact
from debt_service.ledger.journal.schemas import JournalEntryOut
from debt_service.ledger.journal.tables import JournalEntry

router = resource_router("journal")


@router.get("")
async def list_entries(
    *,
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("journal:read")],
    fact: Fact | None = None,
    account: Account | None = None,
    customer_id: UUID | None = None,
    receivable_id: UUID | None = None,
    receipt_id: UUID | None = None,
    posted_from: Day | None = None,
    posted_to: Day | None = None,
) -> Page[JournalEntryOut]:
    """Journal entries with their lines, by the day they count for or the time they were recorded."""
    entries, cursor = await fetch_page(
        session,
        store.entries_where(
            fact=fact,
            account=account,
            customer_id=customer_id,
            receivable_id=receivable_id,
            receipt_id=receipt_id,
            posted_from=posted_from,
            posted_to=posted_to,
        ),
        query=page,
        sortable={"posted_on": JournalEntry.posted_on, "recorded_at": JournalEntry.recorded_at},
        default="posted_on",
        id_column=JournalEntry.id,
    )
    lines = await store.lines_of(session, [entry.id for entry in entries])
    return Page(items=[JournalEntryOut.of(entry, lines[entry.id]) for entry in entries], next=cursor)


@router.get("/{entry_id}")
async def get(entry_id: UUID, session: SessionDep, _: Annotated[Actor, requires("journal:read")]) -> JournalEntryOut:
    """One entry with its lines."""
    entry = await store.get_entry(session, entry_id)
    return JournalEntryOut.of(entry, (await store.lines_of(session, [entry_id]))[entry_id])
