"""Payments on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from council_bacs.credit_reasons import ArucsCode
from council_common.contracts.fields import SourceReference, VatShare
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Select

from invoice_service.fields import Day, PositivePence, TextQuery
from invoice_service.paying.payments import store
from invoice_service.paying.payments.rules import Method, Status
from invoice_service.paying.payments.tables import Payment
from invoice_service.register.invoices.schemas import SourceIn


class PaymentIn(BaseModel):
    """What the paying system did. `paid_pence` + `deducted_pence` is what it settles of the invoice.

    `reference` is the text on the supplier's bank statement, in the 18 characters that Bacs has for it (payables.md
    §3.2), or a cheque's number; never an account number: it is told in events. The funds of Bacs arrive two working
    days later and those of a faster payment at once, unless `arrives_on` is told; a cheque or card needs it.
    """

    model_config = ConfigDict(extra="forbid")

    invoice_id: UUID
    source: SourceIn
    remitted_on: Day
    arrives_on: Day | None = None
    paid_pence: PositivePence
    deducted_pence: PositivePence = 0
    method: Method
    reference: Annotated[str, Field(max_length=18, pattern="^[A-Za-z0-9.&/ -]*$")] = ""

    @model_validator(mode="after")
    def _settles_something(self) -> Self:
        if self.paid_pence + self.deducted_pence == 0:
            raise ValueError("a payment settles more than nought pence")
        return self


class ReturnIn(BaseModel):
    """A payment that came back: the ARUCS reason code and the day."""

    model_config = ConfigDict(extra="forbid")

    reason_code: ArucsCode
    returned_on: Day


class PaymentOut(BaseModel):
    """A payment. `vat_shares` is what it settles per VAT rate."""

    id: UUID
    version: int
    invoice_id: UUID
    supplier_id: UUID
    source: SourceReference
    remitted_on: date
    arrives_on: date | None
    paid_pence: int
    deducted_pence: int
    method: Method
    reference: str
    vat_shares: list[VatShare]
    status: Status
    reason_code: ArucsCode | None
    returned_on: date | None
    recorded_at: datetime

    @classmethod
    def of(cls, payment: Payment) -> PaymentOut:
        """From a stored payment."""
        values = {name: getattr(payment, name) for name in cls.model_fields if name != "source"}
        source = {"system": payment.source_system, "reference": payment.source_reference}
        return cls.model_validate({**values, "source": source})


@dataclass(frozen=True)
class PaymentFilter:
    """Conditions that all have to hold; `_from` and `_to` are inclusive."""

    invoice_id: UUID | None = None
    supplier_id: UUID | None = None
    status: Status | None = None
    method: Method | None = None
    source_system: TextQuery = None
    source_reference: TextQuery = None
    remitted_from: date | None = None
    remitted_to: date | None = None

    def statement(self) -> Select[Any]:
        """The payments asked for."""
        ours = ("invoice_id", "supplier_id", "status", "method", "source_system", "source_reference")
        return store.matching(
            equal={name: getattr(self, name) for name in ours},
            remitted_from=self.remitted_from,
            remitted_to=self.remitted_to,
        )
