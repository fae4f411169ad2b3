"""A rebate as it stands in memory, cheap by the thousand: facts, and what an agreement makes of them.

Every field stands under the name of its column, in one place. Records are filled by keyword, and a row is made of them
by the names of the columns: a field added in the middle shifts nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple, Protocol, Self
from uuid import UUID

from council_common.contracts.invoices import PaymentMethod
from council_common.ids import new_id

from rebate_service.agreements.rules import VersionInForce
from rebate_service.rebates import rules
from rebate_service.rebates.linear import AmountAtVatRate, RebateAtVatRate
from rebate_service.rebates.rules import Assessment, PaymentFacts, RebateStatus


class VatShare(Protocol):
    """What an event or a request says of one VAT rate."""

    @property
    def vat_rate(self) -> Decimal: ...
    @property
    def net_pence(self) -> int: ...
    @property
    def vat_pence(self) -> int: ...


class RebateFacts(NamedTuple):
    """What is known of an invoice or a payment before any agreement is looked at; `vat_shares` is JSON."""

    invoice_id: UUID
    supplier_id: UUID
    invoice_number: str
    received_on: date
    vat_shares: str
    part_payment: bool
    valid_on: date | None = None
    payment_id: UUID | None = None
    remitted_on: date | None = None
    arrives_on: date | None = None
    method: PaymentMethod | None = None
    disputed: bool = False
    deducted_pence: int = 0
    department: str | None = None

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

    def unpaid(self) -> Self:
        """The same invoice without this payment."""
        return self._replace(
            payment_id=None, remitted_on=None, arrives_on=None, method=None, disputed=False, deducted_pence=0
        )


class RebateRecord(NamedTuple):
    """One row of `rebate`; `rebate_parts` is JSON as stored."""

    id: UUID
    version: int
    facts: RebateFacts
    agreement_id: UUID | None
    agreement_version: int | None
    assessment: Assessment
    rebate_parts: str | None
    returned_on: date | None = None

    @property
    def status(self) -> RebateStatus:
        return self.assessment.status

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of the database; its assessment is without parts, which follow from the facts and the terms."""
        figures = {name: row[name] for name in _FIGURES}
        return cls(
            id=row["id"],
            version=row["version"],
            facts=RebateFacts(**{name: row[name] for name in RebateFacts._fields}),
            agreement_id=row["agreement_id"],
            agreement_version=row["agreement_version"],
            assessment=Assessment(**figures | {"status": RebateStatus(row["status"])}),
            rebate_parts=row["rebate_parts"],
            returned_on=row["returned_on"],
        )

    def is_assessed_like(self, other: RebateRecord) -> bool:
        """Whether another record of the same facts has the same agreement and every figure that follows from it."""
        agreed = (self.agreement_id, self.agreement_version, self.assessment._replace(parts=()))
        return agreed == (other.agreement_id, other.agreement_version, other.assessment._replace(parts=()))


_FIGURES = tuple(name for name in Assessment._fields if name != "parts")
_PATHS = {
    **{name: name for name in RebateRecord._fields if name not in {"facts", "assessment"}},
    **{name: f"facts.{name}" for name in RebateFacts._fields},
    **{name: f"assessment.{name}" for name in _FIGURES},
}
COLUMNS = tuple(_PATHS)
"""The columns of `rebate` that a record fills; the database keeps `changed_at`."""

row_of = attrgetter(*_PATHS.values())
"""The values of a record in the order of `COLUMNS`: what COPY takes."""


def record_of(
    facts: RebateFacts,
    amounts: Sequence[AmountAtVatRate],
    agreement: VersionInForce | None,
    *,
    id_: UUID | None = None,
    version: int = 1,
    today: date | None = None,
) -> RebateRecord:
    """The record that facts make under the version in force (None: outside); `amounts` are their VAT shares.

    By `today` the term of an unpaid part may be over.
    """
    assessment = rules.assess(
        amounts,
        agreement.terms if agreement else None,
        received_on=facts.received_on,
        valid_on=facts.valid_on,
        payment=facts.payment,
        today=today,
    )
    return RebateRecord(
        id=id_ or new_id(),
        version=version,
        facts=facts,
        agreement_id=agreement.agreement_id if agreement else None,
        agreement_version=agreement.number if agreement else None,
        assessment=assessment,
        rebate_parts=parts_json(assessment.parts) if assessment.status is RebateStatus.EARNED else None,
    )


def changed_to(
    record: RebateRecord,
    facts: RebateFacts,
    amounts: Sequence[AmountAtVatRate],
    agreement: VersionInForce | None,
    *,
    today: date | None = None,
) -> RebateRecord:
    """The next version of a record: the same rebate after other facts, under another agreement, or on a later day."""
    after = record_of(facts, amounts, agreement, id_=record.id, version=record.version + 1, today=today)
    rules.move(record.status, after.status)
    return after


def amounts_from(vat_shares: Sequence[VatShare]) -> list[AmountAtVatRate]:
    """The amounts an event or a request carries, one for each VAT rate."""
    amounts = [
        AmountAtVatRate(vat_rate=share.vat_rate, net_pence=share.net_pence, vat_pence=share.vat_pence)
        for share in vat_shares
    ]
    return rules.by_vat_rate(amounts) if len(amounts) > 1 else amounts


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
