"""Events of rebate-service: agreements, and rebates from expectation to proof."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from council_common.contracts.fields import (
    AgreementId,
    Day,
    InvoiceId,
    PaymentId,
    Pence,
    Rate,
    RebateId,
    SupplierId,
)
from council_common.events.contract import Event

AgreementVersion = Annotated[int, Field(ge=1, examples=[1])]
VarianceId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-00000000000e"])]


class AgreementEvent(Event, topic="rebates.v1", producer="rebate-service", key="agreement_id"):
    """About one supplier's agreement."""

    agreement_id: AgreementId
    supplier_id: SupplierId
    agreement_version: AgreementVersion


class AgreementActivatedV1(AgreementEvent):
    """A version of an agreement is in force from a day on."""

    effective_from: Day
    reference_rate_percent: Rate
    target_day: Annotated[int, Field(ge=0, examples=[10])]
    term_days: Annotated[int, Field(ge=1, examples=[30])]


class AgreementEndedV1(AgreementEvent):
    """An agreement ends: invoices received after that day earn nothing."""

    effective_to: Day


class RebateEvent(Event, topic="rebates.v1", producer="rebate-service", key="rebate_id"):
    """About the rebate of one invoice."""

    rebate_id: RebateId
    invoice_id: InvoiceId
    supplier_id: SupplierId
    agreement_id: AgreementId
    agreement_version: AgreementVersion


class RebateExpectedV1(RebateEvent):
    """What the invoice would earn if paid on the target day."""

    expected_pence: Pence
    target_on: Day


class RebatePart(BaseModel):
    """What was earned at one VAT rate (percent), in pence."""

    model_config = ConfigDict(frozen=True)

    vat_rate: Rate
    net_pence: Pence
    vat_pence: Pence


class RebateEarnedV1(RebateEvent):
    """A payment earned a rebate: the whole sum, so that anybody can prove it."""

    payment_id: PaymentId
    received_on: Day
    remitted_on: Day
    elapsed_days: Annotated[int, Field(ge=0, examples=[9])]
    accelerated_days: Annotated[int, Field(ge=0, examples=[21])]
    rate_percent: Rate
    base_pence: Pence
    rebate_net_pence: Annotated[Pence, Field(examples=[1_000])]
    rebate_vat_pence: Annotated[Pence, Field(examples=[200])]
    rebate_pence: Annotated[Pence, Field(examples=[1_200])]
    expected_pence: Annotated[Pence, Field(examples=[1_200])]
    deducted_pence: Annotated[Pence, Field(examples=[1_200])]
    clock_started_on: Annotated[Day | None, Field(description="Day 0 by the agreed clock.")] = None
    clock_ended_on: Annotated[Day | None, Field(description="The day the agreed clock ended.")] = None
    parts: Annotated[
        list[RebatePart] | None,
        Field(
            examples=[[{"vat_rate": "20", "net_pence": 1_000, "vat_pence": 200}]],
            description="One entry per VAT rate; they sum to the rebate.",
        ),
    ] = None


class RebateMissedV1(RebateEvent):
    """An invoice under an agreement was paid too late, or in dispute, and earned nothing."""

    payment_id: PaymentId
    expected_pence: Annotated[Pence, Field(examples=[1_200])]
    cause: Annotated[str, Field(examples=["late_payment"])]


class RebateLostV1(RebateEvent):
    """An invoice under an agreement was not paid by the end of the term: it can earn nothing any more."""

    expected_pence: Annotated[Pence, Field(examples=[1_200])]
    lost_on: Annotated[Day, Field(description="The day on which its term was found to be over.")]


class RebateReversedV1(RebateEvent):
    """The payment came back: what it earned is taken back."""

    payment_id: PaymentId
    rebate_pence: Annotated[Pence, Field(examples=[1_200])]
    returned_on: Day


class RebateVarianceFoundV1(RebateEvent):
    """What was deducted differs from what was earned."""

    payment_id: PaymentId
    earned_pence: Annotated[Pence, Field(examples=[1_200])]
    deducted_pence: Annotated[Pence, Field(examples=[1_000])]
    difference_pence: Annotated[Pence, Field(examples=[-200])]
    cause: Annotated[str, Field(examples=["under_deducted"])]


class RebateVarianceResolvedV1(Event, topic="rebates.v1", producer="rebate-service", key="rebate_id"):
    """A variance (or an unagreed deduction) was settled, or went away with its payment: how."""

    rebate_id: RebateId
    invoice_id: InvoiceId
    supplier_id: SupplierId
    variance_id: VarianceId
    payment_id: PaymentId
    difference_pence: Annotated[Pence, Field(examples=[-200])]
    cause: Annotated[str, Field(examples=["under_deducted"])]
    resolution: Annotated[str, Field(examples=["wrong_day_used"])]


class RebateWithdrawnV1(RebateEvent):
    """A rebate is no longer counted: the invoice was cancelled, or no agreement covers it any more."""

    expected_pence: Annotated[Pence, Field(examples=[1_200])]
    rebate_pence: Annotated[Pence, Field(examples=[0], description="What had been earned until now.")] = 0
    cause: Annotated[str, Field(examples=["invoice_cancelled"])]


class UnagreedDeductionFoundV1(Event, topic="rebates.v1", producer="rebate-service", key="rebate_id"):
    """A rebate was deducted from a supplier that had no agreement in force when the invoice was received."""

    rebate_id: RebateId
    invoice_id: InvoiceId
    supplier_id: SupplierId
    payment_id: PaymentId
    deducted_pence: Annotated[Pence, Field(examples=[1_000])]
    cause: Annotated[str, Field(examples=["deducted_without_agreement"])]
