"""States of a receivable as data, what paying, reopening and crediting do to it, and what a new one has to be."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from council_common.errors import Conflict, FieldError, IllegalMove, Malformed, move
from council_common.money import Money, half_up

# Council policy: thirty days from the date of issue.
STANDARD_TERM = timedelta(days=30)


class ReceivableStatus(StrEnum):
    """Where a receivable stands. Part-paid is no state: it is open or overdue with less outstanding than charged."""

    OPEN = "open"
    OVERDUE = "overdue"
    SETTLED = "settled"
    CANCELLED = "cancelled"


# Settled and cancelled lead back only when a receipt is reversed (a bounced cheque, an unpaid Direct Debit).
NEXT: dict[ReceivableStatus, frozenset[ReceivableStatus]] = {
    ReceivableStatus.OPEN: frozenset({ReceivableStatus.OVERDUE, ReceivableStatus.SETTLED, ReceivableStatus.CANCELLED}),
    ReceivableStatus.OVERDUE: frozenset({ReceivableStatus.SETTLED, ReceivableStatus.CANCELLED}),
    ReceivableStatus.SETTLED: frozenset({ReceivableStatus.OPEN, ReceivableStatus.OVERDUE}),
    ReceivableStatus.CANCELLED: frozenset({ReceivableStatus.OPEN, ReceivableStatus.OVERDUE}),
}


class CancelReason(StrEnum):
    """Why a charge is credited; published in the event, so a code and never a sentence.

    Money that is owed and cannot be collected is written off, not cancelled.
    """

    RAISED_IN_ERROR = "raised_in_error"
    DUPLICATE = "duplicate"
    WRONG_CUSTOMER = "wrong_customer"
    WRONG_AMOUNT = "wrong_amount"
    SERVICE_NOT_GIVEN = "service_not_given"
    DISPUTE_UPHELD = "dispute_upheld"
    OTHER = "other"


class NumberTaken(Conflict):
    """Another receivable has this number."""

    code = "number-taken"

    def __init__(self) -> None:
        errors = [FieldError("number", "another receivable has this number", "a number of its own")]
        super().__init__("Another receivable has this number.", errors=errors)


class SumsDiffer(Malformed):
    """The lines do not add up to the total."""

    code = "sums-differ"

    def __init__(self, total: int) -> None:
        error = FieldError("gross_pence", "is not the sum of the lines", str(total))
        super().__init__("The receivable is invalid; see errors.", errors=[error])


class OverAllocated(Conflict):
    """More was to be set against a receivable than is owed on it."""

    code = "over-allocated"


class OverCredited(Conflict):
    """More was to be credited than is owed: what was paid of it has to be on account first."""

    code = "over-credited"

    def __init__(self, number: str, *, outstanding_pence: int) -> None:
        errors = [FieldError("amount_pence", "more than is outstanding", f"at most {outstanding_pence}")]
        super().__init__(
            f"Receivable {number} owes {Money(outstanding_pence)}. Reverse an allocation first, or correct the charge.",
            errors=errors,
            outstanding_pence=outstanding_pence,
        )


@dataclass(frozen=True, slots=True)
class NewReceivable:
    """A charge as a service department sends it.

    One that replaces another keeps its `issued_on`, the tax point (VAT Regulations 1995 reg 14), and counts in the
    books from the day of the correction, `counts_from`: what was reported before stays as it was reported.
    """

    source_system: str
    source_reference: str
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
    replaces_id: UUID | None = None
    counts_from: date | None = None

    @property
    def booked_on(self) -> date:
        """The day it counts from in the books."""
        return self.counts_from or self.issued_on


def recovery_of(exception_id: UUID, *, customer_id: UUID, number: str | None, pence: int, today: date) -> NewReceivable:
    """The charge for money that a supplier was paid and has to give back, found as an exception of a payment.

    Without VAT: money that comes back is no supply (VATA 1994 s5: a supply is for a consideration). Due after the
    standard term. Its number is the exception's own, so that it is charged once.
    """
    what = f"Paid to you twice or too much, invoice {number}" if number else "Paid to you twice or too much"
    return NewReceivable(
        source_system="invoice-service",
        source_reference=str(exception_id),
        customer_id=customer_id,
        customer_source=None,
        number=f"OP-{exception_id.hex[-12:].upper()}",
        department="accounts_payable",
        debt_type="supplier_overpayment",
        issued_on=today,
        due_on=today + STANDARD_TERM,
        lines=({"description": what, "net_pence": pence, "vat_rate": "0", "vat_pence": 0},),
        net_pence=pence,
        vat_pence=0,
        gross_pence=pence,
    )


@dataclass(frozen=True, slots=True)
class PaymentOutcome:
    """What one payment left: the receivable's version after it, the pence still owed, the day it settled (or None).

    The settlement has a version of its own: the next.
    """

    version: int
    outstanding_pence: int
    settled_on: date | None


@dataclass(slots=True)
class OpenItem:
    """What is owed on one receivable, while its row is locked.

    A use case that allocates fills in `last_paid_on`, the latest day of what was paid or credited and stands, and
    `moved`: by day, what was paid or credited (negative) and what came back; and `in_dispute`, whether its customer
    disputes it.
    """

    id: UUID
    customer_id: UUID
    number: str
    department: str
    debt_type: str
    issued_on: date
    due_on: date
    version: int
    gross_pence: int
    vat_pence: int
    outstanding_pence: int
    status: ReceivableStatus
    overdue_on: date | None
    settled_on: date | None
    counts_from: date | None = None
    last_paid_on: date | None = None
    moved: list[tuple[date, int]] = field(default_factory=list)
    in_dispute: bool = False

    @classmethod
    def of(cls, receivable: Any) -> OpenItem:
        """Of a locked receivable: its row, or one with the same columns by name."""
        return cls(**{name: getattr(receivable, name) for name in STORED})

    def note_paid(self, on: date, pence: int, *, came_back_on: date | None = None) -> None:
        """Something was set against it, or credited, from a day on, and came back on another, or stands."""
        self.moved.append((on, -pence))
        if came_back_on is None:
            self.last_paid_on = max(on, self.last_paid_on or on)
        else:
            self.moved.append((came_back_on, pence))

    def owes_from(self, pence: int, *, on: date) -> date:
        """The first day, from `on` and its own on, from which it owes this much at the end of every day.

        Money that is dated back over days on which the debt was already paid is on account for those days: no balance
        is ever negative, on no day (council policy).
        """
        first = max(on, self.counts_from or self.issued_on)
        days = sorted({day for day, _ in self.moved if day > first})
        for day, following in zip([first, *days], days, strict=False):
            if self._owed_at(day) < pence:
                first = following
        return first

    def _owed_at(self, day: date) -> int:
        return self.gross_pence + sum(pence for moved_on, pence in self.moved if moved_on <= day)

    def check(self, pence: int, *, field: str = "amount_pence") -> None:
        """Raise OverAllocated, naming the request's field, when less than `pence` is owed."""
        if pence > self.outstanding_pence:
            raise OverAllocated(
                f"Receivable {self.number} owes {Money(self.outstanding_pence)}; {Money(pence)} is more.",
                errors=[FieldError(field, "more than is outstanding", f"at most {self.outstanding_pence}")],
                outstanding_pence=self.outstanding_pence,
            )

    def pay(self, pence: int, *, on: date) -> PaymentOutcome:
        """Set money against it; raises OverAllocated.

        A debt paid in full is settled on the latest day of its payments (council policy): a cheque of the 1st that is
        recorded after the money of the 10th does not make it settled on the 1st.
        """
        self.check(pence)
        self.outstanding_pence -= pence
        self.version += 1
        self.note_paid(on, pence)
        version = self.version
        if self.outstanding_pence == 0:
            self._move(ReceivableStatus.SETTLED)
            self.settled_on = self.last_paid_on
            self.version += 1
        return PaymentOutcome(version=version, outstanding_pence=self.outstanding_pence, settled_on=self.settled_on)

    def reopen(self, pence: int, *, on: date) -> None:
        """A payment was reversed: the money is owed again, and overdue where the due date has passed."""
        self.outstanding_pence += pence
        self.version += 1
        self.settled_on = None
        if self.status in {ReceivableStatus.SETTLED, ReceivableStatus.CANCELLED}:
            self._move(ReceivableStatus.OVERDUE if is_overdue(self.due_on, as_at=on) else ReceivableStatus.OPEN)

    def credit(self, pence: int | None, *, credited_pence: int, credited_vat_pence: int) -> tuple[int, int]:
        """A credit note for a part of what is outstanding, or for all of it (None); returns its gross and its VAT.

        `credited_…` is what earlier credit notes took back. The VAT is the share of all that is credited by now, less
        what earlier notes took back: together they never take back more than was charged. What is credited in full is
        cancelled. Raises IllegalMove where nothing is outstanding, OverCredited where less is.
        """
        if self.outstanding_pence == 0:
            raise IllegalMove(f"Receivable {self.number}", self.status, ReceivableStatus.CANCELLED)
        gross = self.outstanding_pence if pence is None else pence
        if gross > self.outstanding_pence:
            raise OverCredited(self.number, outstanding_pence=self.outstanding_pence)
        vat = vat_share(self.vat_pence, credited_pence + gross, self.gross_pence) - credited_vat_pence
        self.outstanding_pence -= gross
        self.version += 1
        if self.outstanding_pence == 0:
            self._move(ReceivableStatus.CANCELLED)
        return gross, vat

    def _move(self, status: ReceivableStatus) -> None:
        self.status = move(NEXT, self.status, status, thing=f"Receivable {self.number}")


STORED = tuple(column.name for column in fields(OpenItem) if column.name not in {"last_paid_on", "moved", "in_dispute"})
"""The columns of a receivable that an open item has."""


def vat_share(vat_pence: int, part_pence: int, gross_pence: int) -> int:
    """The VAT in a part of a gross amount, in proportion (VAT Regulations 1995 reg 38; half up to the penny).

    Of £13.68 with £2.28 of VAT, £1.95 holds exactly 32.5p:

    >>> vat_share(20_00, 60_00, 120_00), vat_share(0, 10_00, 10_00), vat_share(2_28, 1_95, 13_68)
    (1000, 0, 33)
    """
    return half_up(vat_pence * part_pence, gross_pence)


def is_overdue(due_on: date, *, as_at: date) -> bool:
    """Whether the due date has passed: on the day itself there is still time to pay."""
    return due_on < as_at
