"""Accounts and the entries of each money fact. A debit is positive, a credit negative; an entry sums to nought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from council_common.errors import NotFound


class Account(StrEnum):
    """The accounts this service keeps; the council's ledger maps them to its own codes."""

    RECEIVABLES_CONTROL = "receivables_control"
    INCOME = "income"
    VAT_OUTPUT = "vat_output"
    BANK = "bank"
    UNALLOCATED_CASH = "unallocated_cash"
    WRITE_OFF = "write_off"


class Fact(StrEnum):
    """What an entry tells; together with the fact's id it is unique."""

    RECEIVABLE_RAISED = "receivable_raised"
    RECEIVABLE_CANCELLED = "receivable_cancelled"
    RECEIPT_RECEIVED = "receipt_received"
    RECEIPT_IDENTIFIED = "receipt_identified"
    RECEIPT_ALLOCATED = "receipt_allocated"
    RECEIPT_REVERSED = "receipt_reversed"


class JournalEntryNotFound(NotFound):
    code = "journal-entry-not-found"


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One side of an entry, in pence, with what it is about."""

    account: Account
    amount_pence: int
    department: str | None = None
    customer_id: UUID | None = None
    receivable_id: UUID | None = None
    receipt_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact on the books: balanced, dated by the day it counts for."""

    fact: Fact
    fact_id: UUID
    posted_on: date
    lines: tuple[EntryLine, ...]

    def __post_init__(self) -> None:
        if sum(line.amount_pence for line in self.lines):
            raise ValueError(f"the entry of {self.fact} {self.fact_id} does not balance")


def entry(fact: Fact, fact_id: UUID, posted_on: date, lines: Sequence[EntryLine]) -> Entry:
    """An entry without its empty lines (a receivable without VAT has none on the VAT account)."""
    return Entry(fact, fact_id, posted_on, tuple(line for line in lines if line.amount_pence))


def charge_lines(
    *, gross_pence: int, vat_pence: int, department: str, customer_id: UUID, receivable_id: UUID
) -> tuple[EntryLine, ...]:
    """A charge: the customer owes the gross, the department earned the net, HMRC is due the VAT.

    A credit note is the same with negative amounts.
    """
    return (
        EntryLine(Account.RECEIVABLES_CONTROL, gross_pence, None, customer_id, receivable_id),
        EntryLine(Account.INCOME, vat_pence - gross_pence, department, customer_id, receivable_id),
        EntryLine(Account.VAT_OUTPUT, -vat_pence, department, customer_id, receivable_id),
    )


def received_lines(*, amount_pence: int, customer_id: UUID | None, receipt_id: UUID) -> tuple[EntryLine, ...]:
    """Money came in: until it is set against a debt it is on account."""
    return (
        EntryLine(Account.BANK, amount_pence, receipt_id=receipt_id, customer_id=customer_id),
        EntryLine(Account.UNALLOCATED_CASH, -amount_pence, receipt_id=receipt_id, customer_id=customer_id),
    )


def identified_lines(*, amount_pence: int, customer_id: UUID, receipt_id: UUID) -> tuple[EntryLine, ...]:
    """Suspense finds its owner: what nobody had on account is the customer's."""
    return (
        EntryLine(Account.UNALLOCATED_CASH, amount_pence, receipt_id=receipt_id),
        EntryLine(Account.UNALLOCATED_CASH, -amount_pence, receipt_id=receipt_id, customer_id=customer_id),
    )


def allocated_lines(
    *, amount_pence: int, on_account_of: UUID | None, customer_id: UUID, receivable_id: UUID, receipt_id: UUID
) -> tuple[EntryLine, ...]:
    """Money on account pays a debt; taking it back is the same with a negative amount."""
    return (
        EntryLine(Account.UNALLOCATED_CASH, amount_pence, None, on_account_of, None, receipt_id),
        EntryLine(Account.RECEIVABLES_CONTROL, -amount_pence, None, customer_id, receivable_id, receipt_id),
    )
