"""Quotes on the wire."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from council_common.contracts.fields import Rate
from council_common.contracts.invoices import PaymentMethod
from council_common.fields import Day, Pence, RequestModel
from council_common.web.bulk import BulkIn, BulkOut, VerdictOut
from pydantic import BaseModel, Field, StrictBool, StrictInt, ValidationInfo, field_validator

from rebate_service.agreements.rules import ClockEnd, ClockStart, Collection, RebateBase, VatMode
from rebate_service.agreements.schemas import TermsIn
from rebate_service.rebates.schemas import PartOut


class QuotedTermsIn(TermsIn):
    """Terms to try out; nothing is agreed by them.

    The defaults are what programmes publish most (Sefton, NHS Wales): 1 % at day 10, nothing at day 30, from receipt
    to remittance, deducted at source; base and VAT are ours.
    """

    target_day: Annotated[StrictInt, Field(ge=0, le=364, examples=[10])] = 10
    term_days: Annotated[StrictInt, Field(ge=1, le=365, examples=[30])] = 30
    clock_start: ClockStart = ClockStart.RECEIVED
    clock_end: ClockEnd = ClockEnd.RUN_DATE
    rebate_base: RebateBase = RebateBase.NET
    vat_mode: VatMode = VatMode.REDUCE_NET_AND_VAT
    collection: Collection = Collection.DEDUCT_AT_SOURCE


class VatShareIn(RequestModel):
    """What a payment settles at one VAT rate (percent)."""

    vat_rate: Rate
    net_pence: Pence
    vat_pence: Pence


class QuotedPaymentIn(RequestModel):
    """A payment that might be made: of a supplier under its agreement, or under terms to try out."""

    supplier_id: UUID | None = None
    terms: Annotated[QuotedTermsIn | None, Field(validate_default=True)] = None
    received_on: Day
    valid_on: Annotated[Day | None, Field(description="When it became a valid invoice, if later.")] = None
    remitted_on: Annotated[Day, Field(description="The day the payment file is sent.")]
    arrives_on: Annotated[
        Day | None,
        Field(description="By default what the method takes; required for a cheque or card to earn."),
    ] = None
    method: Annotated[PaymentMethod | None, Field(description="How it is paid; Bacs by default.")] = None
    disputed: StrictBool = False
    vat_shares: Annotated[
        list[VatShareIn], Field(min_length=1, max_length=100, description="Those of one VAT rate count as one.")
    ]

    @field_validator("terms")
    @classmethod
    def _supplier_or_terms(cls, terms: QuotedTermsIn | None, payment: ValidationInfo) -> QuotedTermsIn | None:
        if "supplier_id" in payment.data and (payment.data["supplier_id"] is None) == (terms is None):
            raise ValueError("name the supplier_id or the terms, one of them")
        return terms


class QuoteIn(QuotedPaymentIn):
    """One payment, whose quote may list every day."""

    day_by_day: Annotated[StrictBool, Field(description="Whether to list every day of the term.")] = False


class QuotedDayOut(BaseModel):
    """What a payment would earn whose clock ends on this day."""

    elapsed_days: int
    on: date
    rate_percent: Rate
    rebate_pence: int
    pay_pence: int


class QuoteOut(BaseModel):
    """What the payment would earn, with the arithmetic.

    Without an agreement in force on the day of receipt `cause` is `no_agreement`, and nothing is to be deducted.
    The clock's two days are those that count by the terms; `steps` explains how the last one is known.
    `deduct_pence` is zero as well where rebates are claimed instead of deducted.
    """

    supplier_id: UUID | None
    agreement_id: UUID | None
    agreement_version: int | None
    terms: TermsIn | None
    cause: str | None
    clock_started_on: date | None
    clock_ended_on: date | None
    target_on: date | None
    elapsed_days: int | None
    accelerated_days: int | None
    rate_percent: Rate
    base_pence: int
    parts: list[PartOut]
    rebate_net_pence: int
    rebate_vat_pence: int
    rebate_pence: int
    expected_pence: int
    gross_pence: int
    deduct_pence: int
    pay_pence: int
    steps: list[str]
    days: list[QuotedDayOut] | None = None


class QuotesIn(BulkIn, of=QuotedPaymentIn):
    """Up to 500 payments at once, as a payment run asks; none day by day, which would keep other requests waiting."""

    items: Annotated[list[Any], Field(min_length=1, max_length=500)]


class QuoteVerdictOut(VerdictOut):
    """The quote of one payment, or why there is none."""

    quote: QuoteOut | None = None


class QuotesOut(BulkOut):
    """One verdict a payment, in the order of the request."""

    items: list[QuoteVerdictOut]  # type: ignore[assignment]
