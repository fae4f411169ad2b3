"""Accounts, and the entry of each money fact. A debit is positive, a credit negative; an entry sums to zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID


class Account(StrEnum):
    """The accounts this service keeps; the council's ledger maps them to its own codes."""

    RECEIVABLES_CONTROL = "receivables_control"
    INCOME = "income"
    VAT_OUTPUT = "vat_output"
    BANK = "bank"
    UNALLOCATED_CASH = "unallocated_cash"
    WRITE_OFF = "write_off"


class Fact(StrEnum):
    """The money fact an entry records; together with the fact's id it is unique."""

    RECEIVABLE_RAISED = "receivable_raised"
    RECEIVABLE_CREDITED = "receivable_credited"
    RECEIVABLE_CANCELLED = "receivable_cancelled"
    RECEIPT_RECEIVED = "receipt_received"
    RECEIPT_IDENTIFIED = "receipt_identified"
    RECEIPT_UNIDENTIFIED = "receipt_unidentified"
    RECEIPT_ALLOCATED = "receipt_allocated"
    ALLOCATION_REVERSED = "allocation_reversed"
    RECEIPT_REVERSED = "receipt_reversed"


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
        EntryLine(
            account=Account.RECEIVABLES_CONTROL,
            amount_pence=gross_pence,
            customer_id=customer_id,
            receivable_id=receivable_id,
        ),
        EntryLine(
            account=Account.INCOME,
            amount_pence=vat_pence - gross_pence,
            department=department,
            customer_id=customer_id,
            receivable_id=receivable_id,
        ),
        EntryLine(
            account=Account.VAT_OUTPUT,
            amount_pence=-vat_pence,
            department=department,
            customer_id=customer_id,
            receivable_id=receivable_id,
        ),
    )


def received_lines(*, amount_pence: int, customer_id: UUID | None, receipt_id: UUID) -> tuple[EntryLine, ...]:
    """Money came in: until it is set against a debt it is on account."""
    return (
        EntryLine(account=Account.BANK, amount_pence=amount_pence, customer_id=customer_id, receipt_id=receipt_id),
        EntryLine(
            account=Account.UNALLOCATED_CASH,
            amount_pence=-amount_pence,
            customer_id=customer_id,
            receipt_id=receipt_id,
        ),
    )


def identified_lines(*, amount_pence: int, customer_id: UUID, receipt_id: UUID) -> tuple[EntryLine, ...]:
    """Suspense is identified: money on account of no customer is now on account of this one.

    With a negative amount it is suspense again.
    """
    return (
        EntryLine(account=Account.UNALLOCATED_CASH, amount_pence=amount_pence, receipt_id=receipt_id),
        EntryLine(
            account=Account.UNALLOCATED_CASH,
            amount_pence=-amount_pence,
            customer_id=customer_id,
            receipt_id=receipt_id,
        ),
    )


def allocated_lines(
    *, amount_pence: int, payer_id: UUID | None, customer_id: UUID, receivable_id: UUID, receipt_id: UUID
) -> tuple[EntryLine, ...]:
    """Money on account of its payer (None: suspense) pays a debt; reversing it is the same with a negative amount."""
    return (
        EntryLine(
            account=Account.UNALLOCATED_CASH, amount_pence=amount_pence, customer_id=payer_id, receipt_id=receipt_id
        ),
        EntryLine(
            account=Account.RECEIVABLES_CONTROL,
            amount_pence=-amount_pence,
            customer_id=customer_id,
            receivable_id=receivable_id,
            receipt_id=receipt_id,
        ),
    )
