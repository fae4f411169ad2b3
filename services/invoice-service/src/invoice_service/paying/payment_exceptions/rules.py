"""Which rules a payment broke that was made all the same, and how somebody may resolve that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from council_common.errors import FieldError, Malformed

from invoice_service.register.invoices.rules import ENDED, InvoiceKind, InvoiceStatus
from invoice_service.register.suppliers.rules import BANK_ACCOUNT_CHANGE


class ExceptionKind(StrEnum):
    """The rule a payment broke. The last four have money to recover."""

    HELD = "held"
    BANK_ACCOUNT_CHANGE = "bank_account_change"
    LEFT_BEFORE_HOLD = "left_before_hold"
    NOT_APPROVED = "not_approved"
    BEFORE_RECEIPT = "before_receipt"
    PAID_TWICE = "paid_twice"
    OVERPAID = "overpaid"
    INVOICE_ENDED = "invoice_ended"
    CREDIT_NOTE_PAID = "credit_note_paid"


class ExceptionStatus(StrEnum):
    """An exception waits for somebody, or was resolved."""

    OPEN = "open"
    RESOLVED = "resolved"


NEXT: Mapping[ExceptionStatus, frozenset[ExceptionStatus]] = {
    ExceptionStatus.OPEN: frozenset({ExceptionStatus.RESOLVED}),
    ExceptionStatus.RESOLVED: frozenset(),
}


class Resolution(StrEnum):
    """What an exception came down to. The last two are set by the platform only.

    `receivable_raised`: the supplier is charged with the money as a customer, and owes it there.
    """

    RECOVERED = "recovered"
    RECEIVABLE_RAISED = "receivable_raised"
    SET_OFF = "set_off"
    CREDITED_BY_SUPPLIER = "credited_by_supplier"
    WRITTEN_OFF = "written_off"
    APPROVED_AFTERWARDS = "approved_afterwards"
    ACCOUNT_CONFIRMED = "account_confirmed"
    AGREED_PREPAYMENT = "agreed_prepayment"
    RECORDED_IN_ERROR = "recorded_in_error"
    OTHER = "other"
    PAYMENT_RETURNED = "payment_returned"
    SETTLES_INSTEAD = "settles_instead"


AUTOMATIC = frozenset({Resolution.PAYMENT_RETURNED, Resolution.SETTLES_INSTEAD})
OF_MONEY = frozenset(
    {
        Resolution.RECOVERED,
        Resolution.RECEIVABLE_RAISED,
        Resolution.SET_OFF,
        Resolution.CREDITED_BY_SUPPLIER,
        Resolution.WRITTEN_OFF,
        Resolution.RECORDED_IN_ERROR,
    }
)
"""How an exception with money to recover may end: approving it afterwards brings nothing back."""
NOT_WITH_SUPPLIER = OF_MONEY - {Resolution.WRITTEN_OFF}
"""After these the supplier has the money no more, or never had it: it settles nothing."""


class Found(NamedTuple):
    """A rule a payment broke: the money to recover (pence), and the holds concerned (codes)."""

    kind: ExceptionKind
    recover_pence: int = 0
    hold_reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """An invoice as a payment found it. `held_when_sent` are the holds that stood on the day the money was sent."""

    kind: InvoiceKind
    status: InvoiceStatus
    is_approved: bool
    was_settled: bool
    received_on: date
    hold_reasons: Sequence[str]
    held_when_sent: Sequence[str]


def exceptions_of(invoice: PaidInvoice, *, remitted_on: date, beyond_pence: int, overpaid_pence: int) -> list[Found]:
    """The rules that a payment broke; empty for one as it should be.

    `beyond_pence` is what it comes to beyond what was owed, deduction and all, `overpaid_pence` the money in that.
    Source: our policy. What another system did is recorded and flagged; a hold counts from the day it arose, so that
    money which left before it is told apart from money which left in spite of it.
    """
    found = list(_of_money(invoice, beyond_pence, overpaid_pence))
    standing = tuple(invoice.held_when_sent)
    others = tuple(reason for reason in standing if reason != BANK_ACCOUNT_CHANGE)
    if others:
        found.append(Found(ExceptionKind.HELD, hold_reasons=others))
    if BANK_ACCOUNT_CHANGE in standing:
        found.append(Found(ExceptionKind.BANK_ACCOUNT_CHANGE, hold_reasons=(BANK_ACCOUNT_CHANGE,)))
    later = tuple(reason for reason in invoice.hold_reasons if reason not in standing)
    if later:
        found.append(Found(ExceptionKind.LEFT_BEFORE_HOLD, hold_reasons=later))
    owes = invoice.kind is InvoiceKind.INVOICE and invoice.status not in (*ENDED, InvoiceStatus.PAID)
    if owes and not invoice.is_approved:
        found.append(Found(ExceptionKind.NOT_APPROVED))
    if remitted_on < invoice.received_on:
        found.append(Found(ExceptionKind.BEFORE_RECEIPT))
    return found


def _of_money(invoice: PaidInvoice, beyond_pence: int, overpaid_pence: int) -> Sequence[Found]:
    if not beyond_pence:
        return ()
    if invoice.kind is InvoiceKind.CREDIT_NOTE:
        kind = ExceptionKind.CREDIT_NOTE_PAID
    elif invoice.status in ENDED:
        kind = ExceptionKind.INVOICE_ENDED
    else:
        kind = ExceptionKind.PAID_TWICE if invoice.was_settled else ExceptionKind.OVERPAID
    return (Found(kind, overpaid_pence),)


class CustomerUnknown(Malformed):
    """Nobody can be charged: the customer that the supplier is was not found by its reference, or is not there."""

    code = "customer-unknown"

    def __init__(self) -> None:
        wrong = FieldError("customer_id", "is not a customer", "the id of the customer that the supplier is")
        super().__init__("Say which customer is charged: the supplier's reference names none.", errors=[wrong])


def check_customer(customer_id: UUID | None, *, resolution: Resolution, recover_pence: int) -> None:
    """Raise Malformed where a customer is named and none is charged, or one would be charged with nothing."""
    charges = resolution is Resolution.RECEIVABLE_RAISED
    if charges and not recover_pence:
        wrong = FieldError("resolution", "has no money to recover", "another resolution")
        raise Malformed("There is no money to recover.", errors=[wrong])
    if customer_id is not None and not charges:
        wrong = FieldError("customer_id", "not expected", f"a customer with {Resolution.RECEIVABLE_RAISED} only")
        raise Malformed("This resolution charges nobody.", errors=[wrong])


def check_resolution(resolution: Resolution, *, recover_pence: int) -> None:
    """Raise Malformed for a resolution that is the platform's, or brings no money back where some is to recover."""
    if resolution in AUTOMATIC:
        wrong, allowed = "is set by the platform only", frozenset(Resolution) - AUTOMATIC
    elif recover_pence and resolution not in OF_MONEY:
        wrong, allowed = "says nothing of the money to recover", OF_MONEY
    else:
        return
    expected = ", ".join(sorted(allowed))
    raise Malformed(f"This resolution {wrong}.", errors=[FieldError("resolution", wrong, expected)])
