"""/v1/journal: what is on the books."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import SessionDep, requires
from council_common.web.pages import Page, PageQuery, fetch_page
from fastapi import Depends
from pydantic import BaseModel

from debt_service.fields import Day
from debt_service.ledger.journal import store
from debt_service.ledger.journal.rules import Account, Fact
from debt_service.ledger.journal.tables import JournalEntry, JournalLine

router = resource_router("journal")


class JournalLineOut(BaseModel):
    """One side of an entry: a debit is positive, a credit negative."""

    account: Account
    amount_pence: int
    department: str | None
    customer_id: UUID | None
    receivable_id: UUID | None
    receipt_id: UUID | None


class JournalEntryOut(BaseModel):
    """One fact on the books; its lines sum to nought."""

    id: UUID
    fact: Fact
    fact_id: UUID
    posted_on: date
    recorded_at: datetime
    recorded_by: str
    lines: list[JournalLineOut]

    @staticmethod
    def of(entry: JournalEntry, lines: list[JournalLine]) -> JournalEntryOut:
        return JournalEntryOut(
            **entry.values(),
            lines=[JournalLineOut(**line.values("entry_id", "line_no")) for line in lines],
        )


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
    items, cursor = await fetch_page(
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
    lines = await store.lines_of(session, [each.id for each in items])
    return Page(items=[JournalEntryOut.of(each, lines[each.id]) for each in items], next=cursor)


@router.get("/{entry_id}")
async def get(entry_id: UUID, session: SessionDep, _: Annotated[Actor, requires("journal:read")]) -> JournalEntryOut:
    """One entry with its lines."""
    entry = await store.get_entry(session, entry_id)
    return JournalEntryOut.of(entry, (await store.lines_of(session, [entry_id]))[entry_id])
