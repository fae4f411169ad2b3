"""Payments on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from council_bacs.credit_reasons import ArucsCode
from council_common.contracts.fields import SourceReference, VatShare
from council_common.fields import WITHOUT_WHOLE_ACCOUNT, Day, Form, PenceOrZero, RequestModel, Sentence, SourceIn
from council_common.web.bulk import BulkIn
from pydantic import BaseModel, Field, model_validator

from invoice_service.paying.payments.rules import NewPayment, PaymentMethod, PaymentStatus


class PaymentIn(RequestModel):
    """What the paying system did. `paid_pence` + `deducted_pence` is what it means to settle of the invoice.

    `reference` is the text on the supplier's bank statement, in the 18 characters that Bacs has for it (Standard 18,
    field 10), or a cheque's number; never an account number: events carry it. The funds of Bacs arrive two working
    days later and those of a faster payment or Direct Debit at once, unless `arrives_on` is given; a cheque or card
    needs it.
    """

    invoice_id: UUID
    source: SourceIn
    remitted_on: Day
    arrives_on: Day | None = None
    paid_pence: PenceOrZero
    deducted_pence: PenceOrZero = 0
    method: PaymentMethod
    reference: Annotated[
        str,
        Field(max_length=18),
        Form("^[A-Za-z0-9.&/ -]*$", "letters without accents, digits, spaces and . & / -"),
        WITHOUT_WHOLE_ACCOUNT,
    ] = ""

    @model_validator(mode="after")
    def _settles_something(self) -> Self:
        if self.paid_pence + self.deducted_pence == 0:
            raise ValueError("paid_pence and deducted_pence together must be greater than zero")
        return self

    def new_payment(self) -> NewPayment:
        """As the rules take it."""
        return NewPayment(
            invoice_id=self.invoice_id,
            source_system=self.source.system,
            source_reference=self.source.reference,
            remitted_on=self.remitted_on,
            arrives_on=self.arrives_on,
            paid_pence=self.paid_pence,
            deducted_pence=self.deducted_pence,
            method=self.method,
            reference=self.reference,
        )


class PaymentsIn(BulkIn, of=PaymentIn):
    """Up to 5,000 payments, each as the single request takes it."""


class ReturnIn(RequestModel):
    """A payment that came back: the ARUCS code of its reason, and the day."""

    reason: ArucsCode
    returned_on: Day
    note: Sentence | None = None


class PaymentOut(BaseModel):
    """A payment. `vat_shares` is what it settles per VAT rate, `overpaid_pence` the money beyond what was owed.

    `exceptions` are the kinds of the rules it broke; `/payment-exceptions?payment_id=` has what became of them.
    """

    id: UUID
    version: int
    invoice_id: UUID
    supplier_id: UUID
    source: SourceReference
    remitted_on: date
    arrives_on: date | None
    paid_pence: int
    deducted_pence: int
    overpaid_pence: int
    method: PaymentMethod
    reference: str
    vat_shares: list[VatShare]
    exceptions: list[str]
    status: PaymentStatus
    return_reason: ArucsCode | None
    returned_on: date | None
    recorded_by: str
    recorded_by_name: str
    recorded_at: datetime

    @classmethod
    def of(cls, payment: Any) -> PaymentOut:
        """From a stored payment, or a row of the list."""
        values = {name: getattr(payment, name) for name in cls.model_fields if name != "source"}
        source = {"system": payment.source_system, "reference": payment.source_reference}
        return cls.model_validate({**values, "source": source})
