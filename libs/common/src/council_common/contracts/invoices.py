"""Events of invoice-service: invoices from receipt to payment, payments that came back, and approval limits."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from council_common.contracts.fields import (
    ApprovalLimitId,
    Day,
    InvoiceId,
    PaymentId,
    Pence,
    Source,
    SupplierId,
    VatShares,
)
from council_common.events.contract import Event
from council_common.fields import Code

InvoiceKind = Literal["invoice", "credit_note"]
PaymentMethod = Literal["bacs", "faster_payment", "cheque", "card", "direct_debit"]
InvoiceStatus = Literal["received", "held", "approved", "scheduled", "paid", "rejected", "cancelled"]
Department = Annotated[
    Code | None, Field(examples=["highways"], description="Whose lines come to most of the invoice, as a code.")
]
CreditNoteApplicationId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000010"])]
PaymentExceptionId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-00000000000f"])]


class InvoiceEvent(Event, topic="invoices.v1", producer="invoice-service", key="invoice_id"):
    """About one invoice."""

    invoice_id: InvoiceId
    supplier_id: SupplierId


class InvoiceReceivedV1(InvoiceEvent):
    """An invoice came in. `historic` marks one that was paid before its source sent it here: no message goes out."""

    source: Source
    number: Annotated[str, Field(examples=["INV-0001"])]
    issued_on: Day
    received_on: Day
    due_on: Day
    net_pence: Pence
    vat_pence: Pence
    gross_pence: Pence
    vat_shares: VatShares
    status: Annotated[InvoiceStatus, Field(examples=["received"])]
    historic: Annotated[bool, Field(examples=[False])] = False
    kind: Annotated[InvoiceKind, Field(examples=["invoice"], description="A credit note's amounts are negative.")] = (
        "invoice"
    )
    paid_on: Annotated[Day | None, Field(description="When a historic invoice was paid.")] = None
    department: Department = None


class InvoiceHeldV1(InvoiceEvent):
    """An invoice may not be paid for these reasons (codes)."""

    hold_reasons: Annotated[list[str], Field(examples=[["dispute"]])]


class InvoiceReleasedV1(InvoiceEvent):
    """The last reason to hold an invoice was lifted."""


class InvoiceApprovedV1(InvoiceEvent):
    """An invoice was approved for payment, by another person than its receiver."""

    gross_pence: Pence
    due_on: Day


class InvoiceSettledV1(InvoiceEvent):
    """An approved invoice has nothing to pay (its lines come to zero): it is settled without a payment."""

    settled_on: Day


class CreditNoteAppliedV1(InvoiceEvent):
    """A credit note was set against an invoice of its supplier: before it was paid, or afterwards.

    Before, less is owed. Afterwards `due_back_pence` is the money the supplier gives back and `deducted_pence` the part
    of the rebate deducted that goes with it; the two are `applied_pence`.
    """

    credit_note_application_id: CreditNoteApplicationId
    credit_note_id: Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000011"])]
    applied_on: Day
    applied_pence: Annotated[int, Field(gt=0, examples=[24_000])]
    vat_shares: Annotated[VatShares, Field(description="What is applied per VAT rate, above zero.")]
    after_payment: Annotated[bool, Field(examples=[False])]
    due_back_pence: Annotated[int, Field(ge=0, examples=[0])]
    deducted_pence: Annotated[int, Field(ge=0, examples=[0])]
    outstanding_pence: Annotated[Pence, Field(examples=[96_000])]
    settled: Annotated[bool, Field(examples=[False], description="Whether nothing is left to pay.")]


class CreditNoteApplicationReversedV1(InvoiceEvent):
    """A credit note that was set against an invoice by mistake was taken off it again: so much more is owed."""

    credit_note_application_id: CreditNoteApplicationId
    credit_note_id: Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000011"])]
    reversed_on: Day
    reversed_pence: Annotated[int, Field(gt=0, examples=[24_000])]
    vat_shares: Annotated[VatShares, Field(description="What is owed again per VAT rate, above zero.")]
    outstanding_pence: Annotated[Pence, Field(examples=[120_000])]
    reason: Annotated[str, Field(examples=["wrong_invoice"], description="A code.")]


class CreditNoteRefundedV1(InvoiceEvent):
    """The money of a credit note came back from its supplier, or is not to come: `invoice_id` is the note's."""

    credit_note_application_id: CreditNoteApplicationId
    refunded_on: Day
    refunded_pence: Annotated[int, Field(gt=0, examples=[23_760])]
    reason: Annotated[str, Field(examples=["received"], description="A code.")]


class InvoicePaidV1(InvoiceEvent):
    """An invoice was paid, early, in time or late. `paid_pence` + `deducted_pence` is what it settles.

    A payment that settles nothing (a second one) is none of these: `PaymentExceptionFoundV1` tells of it.
    """

    payment_id: PaymentId
    number: Annotated[str, Field(examples=["INV-0001"])]
    issued_on: Day
    received_on: Day
    valid_on: Annotated[Day | None, Field(description="When it became a valid invoice, if later.")] = None
    due_on: Day
    remitted_on: Annotated[Day, Field(description="The day the payment file was sent.")]
    arrives_on: Annotated[Day | None, Field(description="The day the funds arrive.")] = None
    gross_pence: Pence
    paid_pence: Annotated[Pence, Field(examples=[118_800])]
    deducted_pence: Annotated[int, Field(ge=0, examples=[1_200], description="Rebate deducted at source, whole pence.")]
    settled: Annotated[bool, Field(examples=[True], description="Whether nothing is left to pay.")]
    vat_shares: Annotated[VatShares, Field(description="What this payment settles, per VAT rate.")]
    disputed: Annotated[bool, Field(examples=[False], description="Whether in dispute when it was sent.")] = False
    method: Annotated[PaymentMethod | None, Field(examples=["bacs"])] = None
    payment_reference: Annotated[
        str | None, Field(examples=["RUN 42"], description="What the supplier's bank statement will show.")
    ] = None
    purchase_order_number: Annotated[str | None, Field(examples=["PO0000077"])] = None
    overpaid_pence: Annotated[
        int, Field(ge=0, examples=[0], description="Money beyond what was owed; not part of `paid_pence`.")
    ] = 0
    credited_pence: Annotated[
        int, Field(ge=0, examples=[0], description="What credit notes have taken off the invoice.")
    ] = 0
    department: Department = None


class PaymentReturnedV1(InvoiceEvent):
    """A payment came back (Bacs ARUCS): the invoice is owed again."""

    payment_id: PaymentId
    returned_on: Day
    reason: Annotated[str, Field(max_length=4, examples=["5"], description="ARUCS code.")]
    gross_pence: Pence
    paid_pence: Annotated[Pence, Field(examples=[118_800])]
    deducted_pence: Annotated[int, Field(ge=0, examples=[1_200])]


class PaymentExceptionFoundV1(InvoiceEvent):
    """A payment that was made breaks a rule (paid twice, while held, before approval): somebody looks at it.

    It comes again with less to recover where a second payment settles a part, because the first one came back.
    """

    payment_exception_id: PaymentExceptionId
    payment_id: PaymentId
    kind: Annotated[Code, Field(examples=["paid_twice"])]
    recover_pence: Annotated[int, Field(ge=0, examples=[118_800], description="Money to get back, whole pence.")]
    hold_reasons: Annotated[list[str], Field(examples=[[]], description="Codes of the holds concerned.")]


class PaymentExceptionResolvedV1(InvoiceEvent):
    """Somebody looked at an exception, or its payment came back: what it came down to."""

    payment_exception_id: PaymentExceptionId
    payment_id: PaymentId
    kind: Annotated[Code, Field(examples=["paid_twice"])]
    resolution: Annotated[str, Field(examples=["recovered"], description="A code.")]
    recover_pence: Annotated[int, Field(ge=0, examples=[118_800])]
    number: Annotated[str | None, Field(examples=["INV-0001"], description="The supplier's number.")] = None
    customer_id: Annotated[
        UUID | None,
        Field(
            examples=["0195a1b2-0000-7000-8000-000000000012"],
            description="Whom debt-service charges with the money to recover, where it is to be a receivable.",
        ),
    ] = None


class InvoiceCancelledV1(InvoiceEvent):
    """An invoice will not be paid."""

    reason: Annotated[str, Field(examples=["entered_in_error"], description="A code.")]


class InvoiceAmountsDisagreeV1(InvoiceEvent):
    """Net, VAT and gross of an invoice are as its file had them, and do not add up."""

    net_pence: Pence
    vat_pence: Pence
    gross_pence: Pence


class InvoiceAmountsSettledV1(InvoiceEvent):
    """A person said what an invoice comes to whose amounts did not add up; they do now."""

    net_pence: Pence
    vat_pence: Pence
    gross_pence: Pence
    vat_shares: VatShares


class DuplicateSuspectedV1(InvoiceEvent):
    """An invoice looks like one we have: rule and the other's id (D1: same supplier, normalised number and kind)."""

    other_invoice_id: InvoiceId
    rule: Annotated[str, Field(examples=["D1"])]


class ApprovalLimitEvent(Event, topic="invoices.v1", producer="invoice-service", key="approval_limit_id"):
    """About how much one role may approve, in one department or in every."""

    approval_limit_id: ApprovalLimitId
    role: Annotated[Code, Field(examples=["payments_assistant"])]
    department: Annotated[Code | None, Field(examples=["highways"], description="None is every department.")] = None


class ApprovalLimitSetV1(ApprovalLimitEvent):
    """A role may approve up to an amount, from a day on."""

    up_to_pence: Annotated[Pence, Field(examples=[500_000])]
    effective_from: Day
    effective_to: Annotated[Day | None, Field(description="The last day in force, where there is one.")] = None


class ApprovalLimitEndedV1(ApprovalLimitEvent):
    """A limit has a last day, decided after it was set."""

    effective_to: Day
