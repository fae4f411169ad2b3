"""What a payment settles of its invoice, what is beyond that, and which days it can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from council_bacs.arrivals import arrival_day
from council_common.errors import DatesOutOfOrder, FieldError, Malformed, not_in_future, not_too_early


class PaymentMethod(StrEnum):
    """How the money goes."""

    BACS = "bacs"
    FASTER_PAYMENT = "faster_payment"
    CHEQUE = "cheque"
    CARD = "card"
    DIRECT_DEBIT = "direct_debit"


class PaymentStatus(StrEnum):
    """A payment is made, and may come back once."""

    MADE = "made"
    RETURNED = "returned"


NEXT: Mapping[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.MADE: frozenset({PaymentStatus.RETURNED}),
    PaymentStatus.RETURNED: frozenset(),
}


class PaymentMalformed(Malformed):
    """The payment is invalid whatever the state of its invoice."""

    code = "payment-malformed"


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A payment as the paying system made it."""

    invoice_id: UUID
    source_system: str
    source_reference: str
    remitted_on: date
    arrives_on: date | None
    paid_pence: int
    deducted_pence: int
    method: PaymentMethod
    reference: str


class Settlement(NamedTuple):
    """What of a payment settles its invoice, in money and by deduction, and the money beyond that; whole pence."""

    paid_pence: int
    deducted_pence: int
    overpaid_pence: int

    @property
    def settles_pence(self) -> int:
        """What it takes off the invoice."""
        return self.paid_pence + self.deducted_pence


def settlement(paid_pence: int, deducted_pence: int, *, outstanding_pence: int) -> Settlement:
    """A payment as far as the invoice owes it. What is beyond comes off the money: that is what can be recovered.

    Source: our policy; a deduction settles first, because it moved no money.

    >>> settlement(118_801, 1_200, outstanding_pence=120_000)
    Settlement(paid_pence=118800, deducted_pence=1200, overpaid_pence=1)
    >>> settlement(118_800, 1_200, outstanding_pence=0)
    Settlement(paid_pence=0, deducted_pence=0, overpaid_pence=118800)
    """
    settles = max(0, min(paid_pence + deducted_pence, outstanding_pence))
    deducted = min(deducted_pence, settles)
    return Settlement(settles - deducted, deducted, paid_pence - (settles - deducted))


def arrival(method: PaymentMethod, *, remitted_on: date, stated: date | None) -> date:
    """The day the funds arrive: as stated, or as the method has it. Raises PaymentMalformed where neither says.

    When a cheque is banked and a card settled, the payer has to state: an agreement may count the rebate to that day.

    >>> arrival(PaymentMethod.BACS, remitted_on=date(2026, 3, 11), stated=None)
    datetime.date(2026, 3, 13)
    """
    arrives_on = stated or arrival_day(method.value, remitted_on)
    if arrives_on is None:
        error = FieldError("arrives_on", f"a {method} does not say when the funds arrive", "the day they do")
        raise PaymentMalformed("The payment is invalid; see errors.", errors=[error])
    return arrives_on


def valid_since(dispute_ended_on: date | None, *, received_on: date, remitted_on: date) -> tuple[date | None, bool]:
    """Since when a paid invoice was valid, if not since its receipt, and whether it was in dispute when paid.

    `dispute_ended_on` is that of a dispute which had arisen when the money was sent; `date.max` where it stands.
    A dispute that ended after the money was sent made nothing valid in time: the invoice was paid in dispute, and no
    rebate is due while disputed (the programme's terms: the clock runs from a valid, undisputed invoice).

    >>> valid_since(date(2026, 3, 16), received_on=date(2026, 2, 2), remitted_on=date(2026, 3, 11))
    (None, True)
    >>> valid_since(date(2026, 3, 9), received_on=date(2026, 2, 2), remitted_on=date(2026, 3, 11))
    (datetime.date(2026, 3, 9), False)
    """
    if dispute_ended_on is None:
        return None, False
    if dispute_ended_on > remitted_on:
        return None, True
    return max(dispute_ended_on, received_on), False


def check_dates(*, remitted_on: date, arrives_on: date | None, today: date) -> None:
    """Raise DateInFuture, and DatesOutOfOrder for funds that cannot arrive on such a day."""
    not_in_future("remitted_on", remitted_on, today=today)
    if arrives_on is not None and not 0 <= (arrives_on - remitted_on).days <= 31:
        right = f"from {remitted_on} to a month later"
        raise DatesOutOfOrder("arrives_on", problem="is not a day on which the funds can arrive", expected=right)


def check_return(*, remitted_on: date, returned_on: date, today: date) -> None:
    """Raise DateTooEarly, DateInFuture for a payment that would come back before it left, or in the future."""
    not_too_early("returned_on", returned_on, remitted_on, before="the payment was sent")
    not_in_future("returned_on", returned_on, today=today)
