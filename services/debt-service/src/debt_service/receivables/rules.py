"""States of a receivable as data, what paying, reopening and cancelling do to it, and what a new one has to be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from council_common.errors import Conflict, FieldError, IllegalMove, Malformed, NotFound
from council_common.money import Money

# Council policy: thirty days from the date of issue (receivables.md §2.1, "due = invoice date + 30").
STANDARD_TERM = timedelta(days=30)


class Status(StrEnum):
    """Where a receivable stands. Part-paid is no state: it is open or overdue with less outstanding than charged."""

    OPEN = "open"
    OVERDUE = "overdue"
    SETTLED = "settled"
    CANCELLED = "cancelled"


# Settled and cancelled lead back only when a receipt comes back (a bounced cheque, an unpaid Direct Debit).
NEXT: dict[Status, frozenset[Status]] = {
    Status.OPEN: frozenset({Status.OVERDUE, Status.SETTLED, Status.CANCELLED}),
    Status.OVERDUE: frozenset({Status.SETTLED, Status.CANCELLED}),
    Status.SETTLED: frozenset({Status.OPEN, Status.OVERDUE}),
    Status.CANCELLED: frozenset({Status.OPEN, Status.OVERDUE}),
}


class ReceivableNotFound(NotFound):
    code = "receivable-not-found"


class OverAllocated(Conflict):
    """More was to be set against a receivable than is owed on it (peer case R2)."""

    code = "over-allocated"


class FutureDate(Malformed):
    """Nothing is recorded for a day that has not come."""

    code = "date-in-future"


@dataclass(frozen=True, slots=True)
class NewReceivable:
    """A charge as a service department tells it."""

    system: str
    reference: str
    customer_id: UUID | None
    customer_source: tuple[str, str] | None
    number: str
    department: str
    debt_type: str
    issued_on: date
    due_on: date
    lines: tuple[dict[str, Any], ...]
    net_pence: int
    vat_pence: int
    gross_pence: int


@dataclass(frozen=True, slots=True)
class Payment:
    """What one payment left: the receivable's version after it (settling is the version after) and what is owed."""

    version: int
    outstanding_pence: int

    @property
    def settles(self) -> bool:
        return self.outstanding_pence == 0


@dataclass(slots=True)
class Owed:
    """What is owed on one receivable, while its row is locked."""

    id: UUID
    customer_id: UUID
    number: str
    department: str
    issued_on: date
    due_on: date
    version: int
    gross_pence: int
    vat_pence: int
    outstanding_pence: int
    status: Status
    overdue_on: date | None
    settled_on: date | None

    def check(self, pence: int) -> None:
        """Raise OverAllocated when less than that is owed."""
        if pence > self.outstanding_pence:
            raise OverAllocated(
                f"Receivable {self.number} owes {Money(self.outstanding_pence)}; {Money(pence)} is more.",
                errors=[FieldError("amount_pence", "more than is outstanding", f"at most {self.outstanding_pence}")],
                outstanding_pence=self.outstanding_pence,
            )

    def pay(self, pence: int, *, on: date) -> Payment:
        """Set money against it; raises OverAllocated. What is paid in full is settled that day."""
        self.check(pence)
        self.outstanding_pence -= pence
        self.version += 1
        payment = Payment(self.version, self.outstanding_pence)
        if payment.settles:
            self._move(Status.SETTLED)
            self.settled_on = on
            self.version += 1
        return payment

    def reopen(self, pence: int, *, on: date) -> None:
        """Money that was set against it went back: it is owed again, and overdue when its day has passed."""
        self.outstanding_pence += pence
        self.version += 1
        self.settled_on = None
        if self.status in {Status.SETTLED, Status.CANCELLED}:
            self._move(Status.OVERDUE if self.due_on < on else Status.OPEN)

    def cancel(self) -> tuple[int, int]:
        """A credit note for what is outstanding; returns its gross and the VAT in it."""
        if self.outstanding_pence == 0:
            raise IllegalMove(f"Receivable {self.number}", self.status, Status.CANCELLED)
        gross = self.outstanding_pence
        vat = vat_share(self.vat_pence, gross, self.gross_pence)
        self._move(Status.CANCELLED)
        self.outstanding_pence = 0
        self.version += 1
        return gross, vat

    def _move(self, status: Status) -> None:
        if status not in NEXT[self.status]:
            raise IllegalMove(f"Receivable {self.number}", self.status, status)
        self.status = status


def vat_share(vat_pence: int, part_pence: int, gross_pence: int) -> int:
    """The VAT in a part of a gross amount, in proportion (VAT Regulations 1995 reg 38; half up to the penny).

    >>> vat_share(20_00, 60_00, 120_00), vat_share(0, 10_00, 10_00)
    (1000, 0)
    """
    return Money(vat_pence).times(Decimal(part_pence) / Decimal(gross_pence)).pence


def is_overdue(due_on: date, *, as_at: date) -> bool:
    """Whether the due date has passed: on the day itself there is still time to pay."""
    return due_on < as_at


def not_in_future(field: str, day: date, *, today: date) -> None:
    """Raise FutureDate for a day after today."""
    if day > today:
        raise FutureDate(
            f"{field} lies in the future.", errors=[FieldError(field, "lies in the future", f"at most {today}")]
        )
