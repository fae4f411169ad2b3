"""The statements on the journal: adding to it and reading it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from council_common.database.many_rows import copy_rows
from council_common.identity.actor import Actor
from council_common.ids import new_id
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.ledger.journal.rules import Account, Entry, Fact
from debt_service.ledger.journal.tables import JournalLine


class EntryRow(NamedTuple):
    """A row of entries, as COPY takes it."""

    id: UUID
    fact: Fact
    fact_id: UUID
    posted_on: date
    recorded_at: datetime
    recorded_by: str
    recorded_by_name: str


class LineRow(NamedTuple):
    """A row of an entry's lines, as COPY takes it."""

    entry_id: UUID
    line_no: int
    account: Account
    amount_pence: int
    department: str | None
    customer_id: UUID | None
    receivable_id: UUID | None
    receipt_id: UUID | None


async def post_entries(session: AsyncSession, entries: Iterable[Entry], *, by: Actor, at: datetime) -> None:
    """Add entries by COPY; a fact that is on the books already is refused by its unique key."""
    heads: list[EntryRow] = []
    lines: list[LineRow] = []
    for entry in entries:
        entry_id = new_id()
        heads.append(
            EntryRow(
                id=entry_id,
                fact=entry.fact,
                fact_id=entry.fact_id,
                posted_on=entry.posted_on,
                recorded_at=at,
                recorded_by=by.subject,
                recorded_by_name=by.name,
            )
        )
        lines += [
            LineRow(
                entry_id=entry_id,
                line_no=number,
                account=line.account,
                amount_pence=line.amount_pence,
                department=line.department,
                customer_id=line.customer_id,
                receivable_id=line.receivable_id,
                receipt_id=line.receipt_id,
            )
            for number, line in enumerate(entry.lines, start=1)
        ]
    await copy_rows(session, "journal_entry", EntryRow._fields, heads)
    await copy_rows(session, "journal_line", LineRow._fields, lines)


async def lines_of(session: AsyncSession, entry_ids: Sequence[UUID]) -> dict[UUID, list[JournalLine]]:
    """The lines of some entries, in order."""
    found = await session.scalars(
        select(JournalLine)
        .where(col(JournalLine.entry_id).in_(entry_ids))
        .order_by(col(JournalLine.entry_id), col(JournalLine.line_no))
    )
    lines: dict[UUID, list[JournalLine]] = defaultdict(list)
    for line in found:
        lines[line.entry_id].append(line)
    return lines
