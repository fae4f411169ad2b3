"""Rebates on the wire."""

from __future__ import annotations

from datetime import date
from typing import Any, Self
from uuid import UUID

from council_common.contracts.fields import Rate, VatShare
from council_common.contracts.invoices import PaymentMethod
from council_common.contracts.rebates import RebatePart
from pydantic import BaseModel

from rebate_service.agreements.rules import Terms
from rebate_service.agreements.schemas import TermsIn
from rebate_service.rebates.linear import RebateAtVatRate
from rebate_service.rebates.proof import earned_parts, proof_of
from rebate_service.rebates.record import amounts_from
from rebate_service.rebates.rules import Assessment, PaymentFacts, RebateStatus, VarianceCause
from rebate_service.rebates.tables import Rebate


class PartOut(BaseModel):
    """What one VAT rate of an invoice earns."""

    vat_rate: Rate
    net_pence: int
    vat_pence: int
    rebate_net_pence: int
    rebate_vat_pence: int

    @classmethod
    def of(cls, part: RebateAtVatRate) -> Self:
        return cls(
            vat_rate=part.amount.vat_rate,
            net_pence=part.amount.net_pence,
            vat_pence=part.amount.vat_pence,
            rebate_net_pence=part.net_pence,
            rebate_vat_pence=part.vat_pence,
        )


class RebateOut(BaseModel):
    """What a payment earned or missed or, without `payment_id`, what the unpaid part of an invoice is expected to.

    A debit note must show `invoice_number` (Sefton's programme), `rate_percent` and `accelerated_days`
    (Croydon's and Oldham's) and, by our rule, `rebate_parts`, what was earned at each VAT rate.
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
    method: PaymentMethod | None
    clock_started_on: date | None
    clock_ended_on: date | None
    target_on: date | None
    elapsed_days: int | None
    accelerated_days: int | None
    rate_percent: Rate | None
    base_pence: int
    vat_shares: list[VatShare]
    rebate_net_pence: int
    rebate_vat_pence: int
    rebate_pence: int
    rebate_parts: list[RebatePart] | None
    expected_pence: int
    deducted_pence: int
    department: str | None
    variance_pence: int
    variance_cause: VarianceCause | None
    part_payment: bool
    disputed: bool
    status: RebateStatus
    cause: str | None
    returned_on: date | None

    @classmethod
    def of(cls, rebate: Any) -> Self:
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
    """The proof of a stored rebate: its parts computed again from its facts, its clock as it was counted then."""
    out = RebateOut.of(rebate)
    payment = None
    if out.payment_id is not None and out.remitted_on is not None:
        payment = PaymentFacts(
            remitted_on=out.remitted_on,
            arrives_on=out.arrives_on,
            deducted_pence=out.deducted_pence,
            disputed=out.disputed,
            method=out.method,
        )
    assessment = Assessment(
        status=RebateStatus.EARNED if payment else RebateStatus.EXPECTED,
        cause=out.cause,
        clock_started_on=out.clock_started_on,
        clock_ended_on=out.clock_ended_on,
        target_on=out.target_on,
        elapsed_days=out.elapsed_days,
        accelerated_days=out.accelerated_days,
    )
    assessment = assessment._replace(parts=earned_parts(amounts_from(out.vat_shares), terms, assessment))
    return ProofOut(
        terms=TermsIn.of(terms),
        parts=[PartOut.of(part) for part in assessment.parts],
        steps=proof_of(
            terms,
            assessment,
            received_on=out.received_on,
            valid_on=out.valid_on,
            payment=payment,
            part_payment=out.part_payment,
        ),
    )
