"""Quotes on the wire."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from council_common.contracts.fields import Day, Rate, VatShare
from pydantic import BaseModel, ConfigDict, Field, model_validator

from rebate_service.agreements.schemas import TermsIn
from rebate_service.rebates.schemas import PartOut


class QuoteIn(BaseModel):
    """A payment that might be made: of a supplier under its agreement, or under terms that are thought of."""

    model_config = ConfigDict(extra="forbid")

    supplier_id: UUID | None = None
    terms: TermsIn | None = None
    received_on: Day
    valid_on: Annotated[Day | None, Field(description="When it became a valid invoice, if later.")] = None
    remitted_on: Annotated[Day, Field(description="The day the payment file is sent.")]
    arrives_on: Annotated[Day | None, Field(description="Two working days later unless said.")] = None
    disputed: bool = False
    vat_shares: Annotated[list[VatShare], Field(min_length=1, max_length=100, description="One for each VAT rate.")]
    day_by_day: Annotated[bool, Field(description="Whether to list every day of the term.")] = False

    @model_validator(mode="after")
    def _supplier_or_terms(self) -> Self:
        if (self.supplier_id is None) == (self.terms is None):
            raise ValueError("name the supplier or the terms, one of them")
        return self


class QuotedDayOut(BaseModel):
    """What the clock's end on this day would earn."""

    elapsed_days: int
    on: date
    rate_percent: Rate
    rebate_pence: int
    pay_pence: int


class QuoteOut(BaseModel):
    """What the payment would earn, with the whole sum.

    Without an agreement in force on the day of receipt `cause` is `no_agreement`, and nothing is to be deducted.
    `deduct_pence` is nought as well where rebates are claimed instead of deducted.
    """

    supplier_id: UUID | None
    agreement_id: UUID | None
    agreement_version: int | None
    terms: TermsIn | None
    cause: str | None
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


class QuotesIn(BaseModel):
    """Many quotes at once, as a payment run asks."""

    model_config = ConfigDict(extra="forbid")

    quotes: Annotated[list[QuoteIn], Field(min_length=1, max_length=500)]


class QuotesOut(BaseModel):
    """The quotes, in the order they were asked for."""

    items: list[QuoteOut]
