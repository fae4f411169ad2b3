"""What the journal is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Day
from council_common.web.lists import Condition, ResourceList, Where
from sqlalchemy import ColumnElement, func, select

from debt_service.ledger.journal.rules import Account, Fact
from debt_service.ledger.journal.tables import JournalEntry, JournalLine

_ENTRY: Any = JournalEntry.__table__.c  # type: ignore[attr-defined]
_LINE: Any = JournalLine.__table__.c  # type: ignore[attr-defined]


def _has_line(column: str) -> Condition:
    """Entries with a line that has a value."""

    def condition(value: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = _ENTRY.id.in_(select(_LINE.entry_id).where(_LINE[column] == value))
        return found

    return condition


def _balance(account: Account) -> ColumnElement[Any]:
    """What an entry posts to an account, in pence: a debit is positive."""
    of_account = select(func.sum(_LINE.amount_pence)).where(_LINE.entry_id == _ENTRY.id, _LINE.account == account)
    return of_account.scalar_subquery().label(f"{account.value}_pence")


class JournalList(
    ResourceList,
    of=JournalEntry,
    sorts=("posted_on",),
    default="posted_on",
    csv=(
        *("id", "fact", "fact_id", "posted_on", "recorded_at", "recorded_by", "recorded_by_name"),
        *(_balance(account) for account in Account),
    ),
):
    """Journal entries that meet every condition given, by the day they count for. The CSV has a column per account."""

    fact: Fact | None = None
    fact_id: UUID | None = None
    posted_from: Day | None = None
    posted_to: Day | None = None
    recorded_from: Day | None = None
    recorded_to: Day | None = None
    account: Annotated[Account | None, Where(_has_line("account"))] = None
    customer_id: Annotated[UUID | None, Where(_has_line("customer_id"))] = None
    receivable_id: Annotated[UUID | None, Where(_has_line("receivable_id"))] = None
    receipt_id: Annotated[UUID | None, Where(_has_line("receipt_id"))] = None
