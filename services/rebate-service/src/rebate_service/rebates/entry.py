"""A rebate as it stands in memory: a plain tuple in the order of the table's columns, cheap by the thousand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from council_common.contracts.fields import VatShare
from council_common.contracts.invoices import PaymentMethod
from council_common.ids import new_id

from rebate_service.agreements.rules import VersionInForce
from rebate_service.rebates import rules
from rebate_service.rebates.linear import Part, Share
from rebate_service.rebates.rules import Assessment, Payment, RebateStatus


class Entry(NamedTuple):
    """One row of `rebate`, column by column; `vat_shares` and `rebate_parts` are JSON as stored."""

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
    def shares(self) -> list[Share]:
        return [
            Share(Decimal(each["vat_rate"]), each["net_pence"], each["vat_pence"])
            for each in json.loads(self.vat_shares)
        ]

    @property
    def payment(self) -> Payment | None:
        if self.payment_id is None or self.remitted_on is None:
            return None
        return Payment(self.remitted_on, self.arrives_on, self.deducted_pence, self.disputed, self.method)

    @property
    def assessment(self) -> Assessment:
        """What is written here of the agreement's making; without the parts, which follow from it and the facts."""
        return Assessment._make((RebateStatus(self.status), *self[_CAUSE:_AFTER_ASSESSMENT], ()))


_CAUSE = Entry._fields.index("cause")
_AFTER_ASSESSMENT = Entry._fields.index("rebate_parts")


class Facts(NamedTuple):
    """What an invoice or a payment says, before any agreement; the first columns of an entry."""

    invoice_id: UUID
    payment_id: UUID | None
    supplier_id: UUID
    invoice_number: str
    received_on: date
    valid_on: date | None
    payment: Payment | None
    part_payment: bool
    shares: Sequence[Share]


def shares_from(vat_shares: Sequence[VatShare]) -> list[Share]:
    """The shares an event or a request carries, one for each VAT rate."""
    shares = [Share(each.vat_rate, each.net_pence, each.vat_pence) for each in vat_shares]
    return rules.by_vat_rate(shares) if len(shares) > 1 else shares


def entry_of(
    facts: Facts, agreement: VersionInForce | None, *, at: datetime, id_: UUID | None = None, version: int = 1
) -> Entry:
    """The entry that facts make under the version in force (None: outside)."""
    payment = facts.payment
    assessment = rules.assess(
        facts.shares,
        agreement.terms if agreement else None,
        received_on=facts.received_on,
        valid_on=facts.valid_on,
        payment=payment,
    )
    return Entry(
        id_ or new_id(),
        version,
        facts.invoice_id,
        facts.payment_id,
        facts.supplier_id,
        facts.invoice_number,
        facts.received_on,
        facts.valid_on,
        payment.remitted_on if payment else None,
        payment.arrives_on if payment else None,
        payment.method if payment else None,
        shares_json(facts.shares),
        payment.disputed if payment else False,
        facts.part_payment,
        payment.deducted_pence if payment else 0,
        agreement.agreement_id if agreement else None,
        agreement.number if agreement else None,
        *assessment[:-1],
        parts_json(assessment.parts) if assessment.status is RebateStatus.EARNED else None,
        None,
        at,
    )


def facts_of(entry: Entry) -> Facts:
    """The facts an entry was made of."""
    return Facts(
        entry.invoice_id,
        entry.payment_id,
        entry.supplier_id,
        entry.invoice_number,
        entry.received_on,
        entry.valid_on,
        entry.payment,
        entry.part_payment,
        entry.shares,
    )


def changed_to(entry: Entry, facts: Facts, agreement: VersionInForce | None, *, at: datetime) -> Entry:
    """The next version of an entry: the same rebate after other facts, or under another agreement."""
    after = entry_of(facts, agreement, at=at, id_=entry.id, version=entry.version + 1)
    rules.move(entry.status, RebateStatus(after.status))
    return after


def shares_json(shares: Sequence[Share]) -> str:
    """Shares as they are stored."""
    inside = [f'{{"vat_rate":"{as_text(rate)}","net_pence":{net},"vat_pence":{vat}}}' for rate, net, vat in shares]
    return f"[{','.join(inside)}]"


def parts_json(parts: Sequence[Part]) -> str:
    """What each VAT rate earned, as it is stored and told."""
    inside = [
        f'{{"vat_rate":"{as_text(share.vat_rate)}","net_pence":{net},"vat_pence":{vat}}}' for share, net, vat in parts
    ]
    return f"[{','.join(inside)}]"


def as_text(rate: Decimal) -> str:
    """A rate as events write it, never with an exponent; `format` alone takes three times as long."""
    text = str(rate)
    return f"{rate:f}" if "E" in text else text
