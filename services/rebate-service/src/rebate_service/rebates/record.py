"""A rebate as it stands in memory, cheap by the thousand. It is filled and read by name, never by position."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from council_common.contracts.fields import VatShare
from council_common.contracts.invoices import PaymentMethod
from council_common.ids import new_id

from rebate_service.agreements.rules import VersionInForce
from rebate_service.rebates import rules
from rebate_service.rebates.linear import AmountAtVatRate, RebateAtVatRate
from rebate_service.rebates.rules import Assessment, PaymentFacts, RebateStatus


class RebateRecord(NamedTuple):
    """One row of `rebate` under its columns' names; `vat_shares` and `rebate_parts` are JSON as stored."""

    id: UUID
    version: int
    invoice_id: UUID
    payment_id: UUID | None
    supplier_id: UUID
    invoice_number: str
    received_on: date
    valid_on: date | None
    remitted_on: date | None
    arrives_on: date | None
    method: PaymentMethod | None
    vat_shares: str
    disputed: bool
    part_payment: bool
    deducted_pence: int
    agreement_id: UUID | None
    agreement_version: int | None
    status: str
    cause: str | None
    clock_started_on: date | None
    clock_ended_on: date | None
    target_on: date | None
    elapsed_days: int | None
    accelerated_days: int | None
    rate_percent: Decimal | None
    base_pence: int
    rebate_net_pence: int
    rebate_vat_pence: int
    rebate_pence: int
    expected_pence: int
    variance_pence: int
    variance_cause: str | None
    rebate_parts: str | None
    returned_on: date | None
    changed_at: datetime

    @property
    def amounts(self) -> list[AmountAtVatRate]:
        return [
            AmountAtVatRate(
                vat_rate=Decimal(share["vat_rate"]), net_pence=share["net_pence"], vat_pence=share["vat_pence"]
            )
            for share in json.loads(self.vat_shares)
        ]

    @property
    def payment(self) -> PaymentFacts | None:
        if self.payment_id is None or self.remitted_on is None:
            return None
        return PaymentFacts(
            remitted_on=self.remitted_on,
            arrives_on=self.arrives_on,
            deducted_pence=self.deducted_pence,
            disputed=self.disputed,
            method=self.method,
        )


class RebateFacts(NamedTuple):
    """What is known of an invoice or a payment before any agreement is looked at."""

    invoice_id: UUID
    payment_id: UUID | None
    supplier_id: UUID
    invoice_number: str
    received_on: date
    valid_on: date | None
    payment: PaymentFacts | None
    part_payment: bool
    amounts: Sequence[AmountAtVatRate]


_from_agreement = attrgetter(
    "agreement_id", "agreement_version", *(name for name in Assessment._fields if name in RebateRecord._fields)
)


def is_assessed_alike(record: RebateRecord, other: RebateRecord) -> bool:
    """Whether two records of the same facts have the same agreement and every figure that follows from it."""
    return bool(_from_agreement(record) == _from_agreement(other))


def amounts_from(vat_shares: Sequence[VatShare]) -> list[AmountAtVatRate]:
    """The amounts an event or a request carries, one for each VAT rate."""
    amounts = [
        AmountAtVatRate(vat_rate=share.vat_rate, net_pence=share.net_pence, vat_pence=share.vat_pence)
        for share in vat_shares
    ]
    return rules.by_vat_rate(amounts) if len(amounts) > 1 else amounts


def record_of(
    facts: RebateFacts, agreement: VersionInForce | None, *, at: datetime, id_: UUID | None = None, version: int = 1
) -> RebateRecord:
    """The record that facts make under the version in force (None: outside)."""
    payment = facts.payment
    assessment = rules.assess(
        facts.amounts,
        agreement.terms if agreement else None,
        received_on=facts.received_on,
        valid_on=facts.valid_on,
        payment=payment,
    )
    return RebateRecord(
        id=id_ or new_id(),
        version=version,
        invoice_id=facts.invoice_id,
        payment_id=facts.payment_id,
        supplier_id=facts.supplier_id,
        invoice_number=facts.invoice_number,
        received_on=facts.received_on,
        valid_on=facts.valid_on,
        remitted_on=payment.remitted_on if payment else None,
        arrives_on=payment.arrives_on if payment else None,
        method=payment.method if payment else None,
        vat_shares=amounts_json(facts.amounts),
        disputed=payment.disputed if payment else False,
        part_payment=facts.part_payment,
        deducted_pence=payment.deducted_pence if payment else 0,
        agreement_id=agreement.agreement_id if agreement else None,
        agreement_version=agreement.number if agreement else None,
        status=assessment.status,
        cause=assessment.cause,
        clock_started_on=assessment.clock_started_on,
        clock_ended_on=assessment.clock_ended_on,
        target_on=assessment.target_on,
        elapsed_days=assessment.elapsed_days,
        accelerated_days=assessment.accelerated_days,
        rate_percent=assessment.rate_percent,
        base_pence=assessment.base_pence,
        rebate_net_pence=assessment.rebate_net_pence,
        rebate_vat_pence=assessment.rebate_vat_pence,
        rebate_pence=assessment.rebate_pence,
        expected_pence=assessment.expected_pence,
        variance_pence=assessment.variance_pence,
        variance_cause=assessment.variance_cause,
        rebate_parts=parts_json(assessment.parts) if assessment.status is RebateStatus.EARNED else None,
        returned_on=None,
        changed_at=at,
    )


def facts_of(record: RebateRecord) -> RebateFacts:
    """The facts a record was made from."""
    return RebateFacts(
        invoice_id=record.invoice_id,
        payment_id=record.payment_id,
        supplier_id=record.supplier_id,
        invoice_number=record.invoice_number,
        received_on=record.received_on,
        valid_on=record.valid_on,
        payment=record.payment,
        part_payment=record.part_payment,
        amounts=record.amounts,
    )


def changed_to(
    record: RebateRecord, facts: RebateFacts, agreement: VersionInForce | None, *, at: datetime
) -> RebateRecord:
    """The next version of a record: the same rebate after other facts, or under another agreement."""
    after = record_of(facts, agreement, at=at, id_=record.id, version=record.version + 1)
    rules.move(record.status, RebateStatus(after.status))
    return after


def amounts_json(amounts: Sequence[AmountAtVatRate]) -> str:
    """Amounts as they are stored in `vat_shares`."""
    return f"[{','.join([_json(amount.vat_rate, amount.net_pence, amount.vat_pence) for amount in amounts])}]"


def parts_json(parts: Sequence[RebateAtVatRate]) -> str:
    """What each VAT rate earned, as it is stored and published."""
    return f"[{','.join([_json(part.amount.vat_rate, part.net_pence, part.vat_pence) for part in parts])}]"


def _json(vat_rate: Decimal, net_pence: int, vat_pence: int) -> str:
    return f'{{"vat_rate":"{as_text(vat_rate)}","net_pence":{net_pence},"vat_pence":{vat_pence}}}'


def as_text(rate: Decimal) -> str:
    """A rate as events write it, never with an exponent; `format` alone takes three times as long."""
    text = str(rate)
    return f"{rate:f}" if "E" in text else text
