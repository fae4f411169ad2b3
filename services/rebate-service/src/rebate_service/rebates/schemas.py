"""Rebates on the wire."""

from __future__ import annotations

from datetime import date
from typing import Self
from uuid import UUID

from council_common.contracts.fields import Rate, VatShare
from pydantic import BaseModel

from rebate_service.agreements.rules import Terms
from rebate_service.agreements.schemas import TermsIn
from rebate_service.rebates.entry import shares_from
from rebate_service.rebates.linear import Part
from rebate_service.rebates.proof import earned_parts, proof_of
from rebate_service.rebates.rules import Assessment, Payment, RebateStatus, VarianceCause
from rebate_service.rebates.tables import Rebate


class PartOut(BaseModel):
    """What one VAT rate of an invoice earns."""

    vat_rate: Rate
    net_pence: int
    vat_pence: int
    rebate_net_pence: int
    rebate_vat_pence: int

    @classmethod
    def of(cls, part: Part) -> Self:
        return cls(
            vat_rate=part.share.vat_rate,
            net_pence=part.share.net_pence,
            vat_pence=part.share.vat_pence,
            rebate_net_pence=part.net_pence,
            rebate_vat_pence=part.vat_pence,
        )


class RebateOut(BaseModel):
    """What a payment earned or missed or, without `payment_id`, what the unpaid part of an invoice is expected to.

    `invoice_number`, `rate_percent` and `accelerated_days` are what a debit note must say (payables.md §1.1).
    """

    id: UUID
    version: int
    invoice_id: UUID
    payment_id: UUID | None
    supplier_id: UUID
    invoice_number: str
    agreement_id: UUID | None
    agreement_version: int | None
    received_on: date
    valid_on: date | None
    remitted_on: date | None
    arrives_on: date | None
    target_on: date | None
    elapsed_days: int | None
    accelerated_days: int | None
    rate_percent: Rate | None
    base_pence: int
    vat_shares: list[VatShare]
    rebate_net_pence: int
    rebate_vat_pence: int
    rebate_pence: int
    expected_pence: int
    deducted_pence: int
    variance_pence: int
    variance_cause: VarianceCause | None
    part_payment: bool
    disputed: bool
    status: RebateStatus
    cause: str | None
    returned_on: date | None

    @classmethod
    def of(cls, rebate: Rebate) -> Self:
        return cls.model_validate(rebate, from_attributes=True)


class ProofOut(BaseModel):
    """The terms, what each VAT rate earned, and the arithmetic in words."""

    terms: TermsIn
    parts: list[PartOut]
    steps: list[str]


class ProvedRebateOut(RebateOut):
    """A rebate with its proof; null where no agreement is concerned."""

    proof: ProofOut | None = None


def prove(rebate: Rebate, terms: Terms) -> ProofOut:
    """The proof of a stored rebate, computed again from its facts."""
    out = RebateOut.of(rebate)
    shares = shares_from(out.vat_shares)
    payment = None
    if rebate.payment_id is not None and rebate.remitted_on is not None:
        payment = Payment(rebate.remitted_on, rebate.arrives_on, rebate.deducted_pence, rebate.disputed)
    status = RebateStatus.EARNED if payment else RebateStatus.EXPECTED
    assessment = Assessment(status, rebate.cause, rebate.target_on, rebate.elapsed_days, rebate.accelerated_days)
    return ProofOut(
        terms=TermsIn.of(terms),
        parts=[PartOut.of(part) for part in earned_parts(shares, terms, assessment)],
        steps=proof_of(
            shares,
            terms,
            assessment,
            received_on=rebate.received_on,
            valid_on=rebate.valid_on,
            payment=payment,
            part_payment=rebate.part_payment,
        ),
    )
