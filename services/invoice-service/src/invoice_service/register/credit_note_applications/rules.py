"""What of a credit note can be set against an invoice, and what the supplier then gives back."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from council_common.errors import Conflict, FieldError
from council_common.money import half_up


class ApplicationStatus(StrEnum):
    """`applied`: less is owed. `refund_due`: the supplier gives money back, until that came or is not to come.
    `reversed`: it was a mistake and was taken back."""

    APPLIED = "applied"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"
    REVERSED = "reversed"


NEXT: Mapping[ApplicationStatus, frozenset[ApplicationStatus]] = {
    ApplicationStatus.APPLIED: frozenset({ApplicationStatus.REVERSED}),
    # Its invoice's payment came back: the note takes off what is owed again, and nothing is to come from the supplier.
    ApplicationStatus.REFUND_DUE: frozenset(
        {ApplicationStatus.REFUNDED, ApplicationStatus.APPLIED, ApplicationStatus.REVERSED}
    ),
    ApplicationStatus.REFUNDED: frozenset(),
    ApplicationStatus.REVERSED: frozenset(),
}


class RefundReason(StrEnum):
    """What became of money that a supplier was to give back."""

    RECEIVED = "received"
    SET_OFF = "set_off"
    WRITTEN_OFF = "written_off"


class ReversalReason(StrEnum):
    """Why an application is taken back."""

    WRONG_INVOICE = "wrong_invoice"
    WRONG_AMOUNT = "wrong_amount"
    CREDIT_NOTE_WITHDRAWN = "credit_note_withdrawn"
    OTHER = "other"


class CreditAfterPayment(Conflict):
    """It was set against an invoice that was paid: money and rebate followed from it."""

    code = "credit-after-payment"


class NotACreditNote(Conflict):
    """Only a credit note can be set against something."""

    code = "not-a-credit-note"


class CreditNoteNotUsable(Conflict):
    """The credit note is held, has ended or was used up."""

    code = "credit-note-not-usable"


class CreditNotApplicable(Conflict):
    """The invoice is another supplier's, a credit note itself, or has ended."""

    code = "credit-not-applicable"


class CreditExceeds(Conflict):
    """More is to be applied than is left of the credit note, or of the invoice."""

    code = "credit-exceeds"


def check_reversal(*, after_payment: bool) -> None:
    """Raise CreditAfterPayment for an application to an invoice that was paid before.

    The supplier was asked for its part of the money, and the rebate was reversed with it. Once the payment has come
    back the application takes off what is owed, and can be taken back. Source: council policy.
    """
    if after_payment:
        raise CreditAfterPayment(
            "The invoice was paid before the credit note was applied: have the payment returned first, or record what "
            "became of the money as a refund."
        )


class Amounts(NamedTuple):
    """What an application does, in whole pence: `due_back` in money and `deducted` of the rebate, after payment."""

    applied_pence: int
    after_payment: bool
    due_back_pence: int = 0
    deducted_pence: int = 0


def amounts_of(asked_pence: int | None, *, left_of_note: int, outstanding: int, paid: int, deducted: int) -> Amounts:
    """How a credit note meets an invoice; `asked_pence` None is as much as fits. Raises CreditExceeds.

    While something is owed it takes that off (payables.md 1.4: the rebate then is on the netted amount). Once all is
    settled it is a credit after payment: the supplier gives back its part of the money, and its part of the rebate is
    reversed pro rata. £240 of £1,200, paid as £1,188.00 with £12.00 deducted: £237.60 and £2.40.

    >>> amounts_of(24_000, left_of_note=24_000, outstanding=0, paid=118_800, deducted=1_200)
    Amounts(applied_pence=24000, after_payment=True, due_back_pence=23760, deducted_pence=240)
    >>> amounts_of(None, left_of_note=24_000, outstanding=120_000, paid=0, deducted=0)
    Amounts(applied_pence=24000, after_payment=False, due_back_pence=0, deducted_pence=0)
    """
    after = outstanding <= 0
    most = min(left_of_note, paid + deducted if after else outstanding)
    applied = most if asked_pence is None else asked_pence
    if applied > most or applied <= 0:
        raise CreditExceeds(
            "That is more than is left of the credit note or of the invoice.",
            errors=[FieldError("applied_pence", "is more than is left", f"at most {most}")],
            left_of_credit_note_pence=left_of_note,
            outstanding_pence=max(0, outstanding),
        )
    if not after:
        return Amounts(applied, after_payment=False)
    rebate = half_up(applied * deducted, paid + deducted)
    return Amounts(applied, after_payment=True, due_back_pence=applied - rebate, deducted_pence=rebate)


def refund_of(asked_pence: int | None, *, left_of_note: int) -> Amounts:
    """A credit note that is set against nothing: the supplier gives the money back. Raises CreditExceeds."""
    applied = left_of_note if asked_pence is None else asked_pence
    if applied > left_of_note:
        wrong = FieldError("applied_pence", "is more than is left", f"at most {left_of_note}")
        raise CreditExceeds("That is more than is left of the credit note.", errors=[wrong])
    return Amounts(applied, after_payment=False, due_back_pence=applied)
