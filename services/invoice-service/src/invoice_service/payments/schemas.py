"""Payments on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from council_common.contracts.fields import SourceReference, VatShare
from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Select

from invoice_service.fields import PositivePence
from invoice_service.invoices.schemas import SourceIn
from invoice_service.payments import store
from invoice_service.payments.rules import Method, ReturnReason, Status
from invoice_service.payments.tables import Payment

_Text = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]


class PaymentIn(BaseModel):
    """What the paying system did. `paid_pence` + `deducted_pence` is what it settles of the invoice.

    `reference` is the text on the payment (bank reference, cheque number); never an account number.
    """

    model_config = ConfigDict(extra="forbid")

    invoice_id: UUID
    source: SourceIn
    remitted_on: date
    arrives_on: date | None = None
    paid_pence: PositivePence
    deducted_pence: PositivePence = 0
    method: Method
    reference: Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")] = ""

    @model_validator(mode="after")
    def _settles_something(self) -> Self:
        if self.paid_pence + self.deducted_pence == 0:
            raise ValueError("a payment settles more than nought pence")
        return self


class ReturnIn(BaseModel):
    """A payment that came back: the ARUCS reason code and the day."""

    model_config = ConfigDict(extra="forbid")

    reason_code: ReturnReason
    returned_on: date


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
    reason_code: ReturnReason | None
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
    source_system: _Text = None
    source_reference: _Text = None
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
