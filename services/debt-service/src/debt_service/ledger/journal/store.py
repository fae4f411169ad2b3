"""Adding to the journal and reading it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.ids import new_id
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.ledger.journal.rules import Entry, JournalEntryNotFound
from debt_service.ledger.journal.tables import JournalEntry, JournalLine
from debt_service.records import copy_rows

ENTRY_COLUMNS = ("id", "fact", "fact_id", "posted_on", "recorded_at", "recorded_by")
LINE_COLUMNS = (
    "entry_id",
    "line_no",
    "account",
    "amount_pence",
    "department",
    "customer_id",
    "receivable_id",
    "receipt_id",
)


async def post_entries(session: AsyncSession, entries: Iterable[Entry], *, by: str, at: datetime) -> None:
    """Add entries by COPY; a fact that is on the books already is refused by its unique key."""
    heads, lines = [], []
    for each in entries:
        entry_id = new_id()
        heads.append((entry_id, each.fact, each.fact_id, each.posted_on, at, by))
        lines += [
            (
                entry_id,
                number,
                line.account,
                line.amount_pence,
                line.department,
                line.customer_id,
                line.receivable_id,
                line.receipt_id,
            )
            for number, line in enumerate(each.lines, start=1)
        ]
    if heads:
        await copy_rows(session, "journal_entry", ENTRY_COLUMNS, heads)
        await copy_rows(session, "journal_line", LINE_COLUMNS, lines)


async def get_entry(session: AsyncSession, entry_id: UUID) -> JournalEntry:
    """One entry; raises JournalEntryNotFound."""
    found = await session.get(JournalEntry, entry_id)
    if found is None:
        raise JournalEntryNotFound("There is no journal entry with this id.")
    return found


def entries_where(
    *,
    fact: str | None,
    account: str | None,
    customer_id: UUID | None,
    receivable_id: UUID | None,
    receipt_id: UUID | None,
    posted_from: date | None,
    posted_to: date | None,
) -> Select[Any]:
    """Entries, filtered by themselves or by one of their lines."""
    statement: Select[Any] = select(JournalEntry)
    if fact is not None:
        statement = statement.where(col(JournalEntry.fact) == fact)
    if posted_from is not None:
        statement = statement.where(col(JournalEntry.posted_on) >= posted_from)
    if posted_to is not None:
        statement = statement.where(col(JournalEntry.posted_on) <= posted_to)
    of_lines: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (col(JournalLine.account), account),
            (col(JournalLine.customer_id), customer_id),
            (col(JournalLine.receivable_id), receivable_id),
            (col(JournalLine.receipt_id), receipt_id),
        )
        if value is not None
    ]
    if of_lines:
        with_such_a_line = select(col(JournalLine.entry_id)).where(*of_lines)
        statement = statement.where(col(JournalEntry.id).in_(with_such_a_line))
    return statement


async def lines_of(session: AsyncSession, entry_ids: Sequence[UUID]) -> dict[UUID, list[JournalLine]]:
    """The lines of some entries, in order."""
    rows = await session.scalars(
        select(JournalLine)
        .where(col(JournalLine.entry_id).in_(entry_ids))
        .order_by(col(JournalLine.entry_id), col(JournalLine.line_no))
    )
    lines: dict[UUID, list[JournalLine]] = defaultdict(list)
    for row in rows:
        lines[row.entry_id].append(row)
    return lines
