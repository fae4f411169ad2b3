"""What an invoice or a payment is worth under an agreement, and what may become of a rebate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from council_common import errors
from council_common.contracts.invoices import PaymentMethod

from rebate_service.agreements.rules import Collection, Terms
from rebate_service.rebates.linear import (
    AmountAtVatRate,
    RebateAtVatRate,
    accelerated_days,
    base_pence,
    clock_ends_on,
    clock_starts_on,
    elapsed_days,
    rate_for,
    rebate_parts,
    rebate_pence,
)


class RebateStatus(StrEnum):
    """`outside` is an invoice or payment without an agreement in force: kept in case one arrives later.

    `lost` is an unpaid part whose term is over: nothing can be earned any more, and nothing is expected.
    """

    EXPECTED = "expected"
    LOST = "lost"
    EARNED = "earned"
    MISSED = "missed"
    REVERSED = "reversed"
    WITHDRAWN = "withdrawn"
    OUTSIDE = "outside"


_OPEN = frozenset({RebateStatus.EXPECTED, RebateStatus.LOST, RebateStatus.OUTSIDE, RebateStatus.WITHDRAWN})
_PAID = frozenset({RebateStatus.EARNED, RebateStatus.MISSED, RebateStatus.OUTSIDE})

NEXT: dict[RebateStatus, frozenset[RebateStatus]] = {
    RebateStatus.EXPECTED: _OPEN | _PAID,
    # Paid at last, or agreed anew for days past: a lost one may still be assessed otherwise.
    RebateStatus.LOST: _OPEN | _PAID,
    RebateStatus.OUTSIDE: _OPEN | _PAID | {RebateStatus.REVERSED},
    RebateStatus.EARNED: _PAID | {RebateStatus.REVERSED},
    RebateStatus.MISSED: _PAID | {RebateStatus.REVERSED},
    # A payment that came back is never settled again: it is paid again under another payment's id.
    RebateStatus.REVERSED: frozenset(),
    # A cancelled invoice is expected again only when a payment of it comes back.
    RebateStatus.WITHDRAWN: frozenset({RebateStatus.EXPECTED, RebateStatus.LOST, RebateStatus.OUTSIDE}),
}

UNPAID = (RebateStatus.EXPECTED, RebateStatus.LOST, RebateStatus.OUTSIDE)
"""What the part of an invoice that is not paid may be, cancelled ones apart."""
ASSESSED = (*UNPAID, RebateStatus.EARNED, RebateStatus.MISSED)
"""The statuses that follow from an agreement: another version may change them."""


def move(current: RebateStatus, wanted: RebateStatus) -> RebateStatus:
    """The status asked for; raises IllegalMove."""
    return errors.move(NEXT, current, wanted, thing="The rebate")


class MissedCause(StrEnum):
    """Why a payment under an agreement earned nothing. Source: our policy; programmes publish only the term.

    `disputed`: a dispute had arisen when the money was sent and ended later, as invoice-service reports it.
    `arrival_unknown`: by the day of arrival, paid by cheque or card, and that day was never given. `direct_debit`: the
    supplier took the money itself, and programmes leave that out. `before_receipt`: paid in advance (a pro forma), so
    that no invoice was paid early; day 0 would earn the most there is. `term_over`: not paid when the term ended.
    """

    LATE_PAYMENT = "late_payment"
    DISPUTED = "disputed"
    ARRIVAL_UNKNOWN = "arrival_unknown"
    TERM_OVER = "term_over"
    DIRECT_DEBIT = "direct_debit"
    BEFORE_RECEIPT = "before_receipt"


class VarianceCause(StrEnum):
    """How a deduction differs from what was earned."""

    UNDER_DEDUCTED = "under_deducted"
    OVER_DEDUCTED = "over_deducted"
    NOT_DEDUCTED = "not_deducted"
    DEDUCTED_AFTER_TERM = "deducted_after_term"
    DEDUCTED_IN_DISPUTE = "deducted_in_dispute"
    DEDUCTED_WITHOUT_ARRIVAL = "deducted_without_arrival"
    DEDUCTED_WITHOUT_AGREEMENT = "deducted_without_agreement"
    DEDUCTED_THOUGH_EXCLUDED = "deducted_though_excluded"


EXCLUDED = frozenset({MissedCause.DIRECT_DEBIT, MissedCause.BEFORE_RECEIPT})
"""What the programme leaves out: such a payment is expected to earn nothing, so that nobody counts it as lost."""

_DEDUCTED_THOUGH = {
    MissedCause.LATE_PAYMENT: VarianceCause.DEDUCTED_AFTER_TERM,
    MissedCause.DISPUTED: VarianceCause.DEDUCTED_IN_DISPUTE,
    MissedCause.ARRIVAL_UNKNOWN: VarianceCause.DEDUCTED_WITHOUT_ARRIVAL,
    MissedCause.DIRECT_DEBIT: VarianceCause.DEDUCTED_THOUGH_EXCLUDED,
    MissedCause.BEFORE_RECEIPT: VarianceCause.DEDUCTED_THOUGH_EXCLUDED,
}


class PaymentFacts(NamedTuple):
    """What a rebate needs to know of a payment."""

    remitted_on: date
    arrives_on: date | None
    deducted_pence: int
    disputed: bool
    method: PaymentMethod | None = None


class Assessment(NamedTuple):
    """What an invoice (not paid yet: expected) or a payment is worth; None where a figure does not apply."""

    status: RebateStatus
    cause: str | None = None
    clock_started_on: date | None = None
    clock_ended_on: date | None = None
    target_on: date | None = None
    elapsed_days: int | None = None
    accelerated_days: int | None = None
    rate_percent: Decimal | None = None
    base_pence: int = 0
    rebate_net_pence: int = 0
    rebate_vat_pence: int = 0
    rebate_pence: int = 0
    expected_pence: int = 0
    variance_pence: int = 0
    variance_cause: VarianceCause | None = None
    parts: Sequence[RebateAtVatRate] = ()


def assess(
    amounts: Sequence[AmountAtVatRate],
    terms: Terms | None,
    *,
    received_on: date,
    valid_on: date | None = None,
    payment: PaymentFacts | None = None,
    today: date | None = None,
) -> Assessment:
    """The one rule behind expectation, earning, quotes and recomputation; `terms` None: no agreement in force.

    Expected is what the target day would earn, unless the term is over by `today` (None: do not ask). Nothing is
    earned in dispute, by Direct Debit or before receipt, nor at or after the end of the term; each part
    payment earns on its own days. `parts` are what was earned at each VAT rate.
    """
    if terms is None:
        deducted = payment.deducted_pence if payment else 0
        cause = VarianceCause.DEDUCTED_WITHOUT_AGREEMENT if deducted else None
        return Assessment(status=RebateStatus.OUTSIDE, variance_pence=deducted, variance_cause=cause)
    start = clock_starts_on(terms, received_on, valid_on, payment.remitted_on if payment else None)
    target_on = start + terms.time_to_target
    base = base_pence(amounts, terms)
    expected = rebate_pence(amounts, terms, terms.term_days - terms.target_day)
    if payment is None:
        is_over = today is not None and accelerated_days(terms, elapsed_days(start, today)) == 0
        return Assessment(
            status=RebateStatus.LOST if is_over else RebateStatus.EXPECTED,
            cause=MissedCause.TERM_OVER if is_over else None,
            clock_started_on=start,
            target_on=target_on,
            base_pence=base,
            expected_pence=expected,
        )
    end = clock_ends_on(terms, payment.remitted_on, payment.arrives_on, payment.method)
    elapsed = None if end is None else elapsed_days(start, end)
    accelerated = None if elapsed is None else accelerated_days(terms, elapsed)
    missed = _why_missed(payment, accelerated, received_on)
    earning_days = 0 if missed else accelerated or 0
    parts = rebate_parts(amounts, terms, earning_days)
    net, vat = _sums(parts)
    difference, variance_cause = deduction_difference(net + vat, payment.deducted_pence, missed, terms.collection)
    return Assessment(
        status=RebateStatus.MISSED if missed else RebateStatus.EARNED,
        cause=missed,
        clock_started_on=start,
        clock_ended_on=end,
        target_on=target_on,
        elapsed_days=elapsed,
        accelerated_days=accelerated,
        rate_percent=rate_for(terms, earning_days).percent,
        base_pence=base,
        rebate_net_pence=net,
        rebate_vat_pence=vat,
        rebate_pence=net + vat,
        expected_pence=0 if missed in EXCLUDED else expected,
        variance_pence=difference,
        variance_cause=variance_cause,
        parts=parts,
    )


def _sums(parts: Sequence[RebateAtVatRate]) -> tuple[int, int]:
    net = vat = 0
    for part in parts:
        net += part.net_pence
        vat += part.vat_pence
    return net, vat


def _why_missed(payment: PaymentFacts, accelerated: int | None, received_on: date) -> MissedCause | None:
    if payment.disputed:
        return MissedCause.DISPUTED
    if payment.method == "direct_debit":
        return MissedCause.DIRECT_DEBIT
    if payment.remitted_on < received_on:
        return MissedCause.BEFORE_RECEIPT
    if accelerated is None:
        return MissedCause.ARRIVAL_UNKNOWN
    return None if accelerated else MissedCause.LATE_PAYMENT


def deduction_difference(
    earned: int, deducted: int, missed: MissedCause | None, collection: Collection
) -> tuple[int, VarianceCause | None]:
    """Deducted less earned, and why they differ; a rebate that is claimed need not have been deducted."""
    difference = deducted - earned
    if difference == 0 or (collection is Collection.CLAIM and deducted == 0):
        return 0, None
    if missed:
        return difference, _DEDUCTED_THOUGH[missed]
    if difference > 0:
        return difference, VarianceCause.OVER_DEDUCTED
    return difference, VarianceCause.NOT_DEDUCTED if deducted == 0 else VarianceCause.UNDER_DEDUCTED


def left_over(amounts: Sequence[AmountAtVatRate], paid: Sequence[AmountAtVatRate]) -> list[AmountAtVatRate]:
    """What a part payment leaves open, VAT rate by VAT rate; rates with nothing left fall away."""
    negative = (amount._replace(net_pence=-amount.net_pence, vat_pence=-amount.vat_pence) for amount in paid)
    return joined([*amounts, *negative])


def joined(amounts: Sequence[AmountAtVatRate]) -> list[AmountAtVatRate]:
    """Amounts summed by VAT rate, without empty ones."""
    return [amount for amount in by_vat_rate(amounts) if amount.net_pence or amount.vat_pence]


def by_vat_rate(amounts: Sequence[AmountAtVatRate]) -> list[AmountAtVatRate]:
    """Amounts summed by VAT rate: what is rounded is the net of each rate, not of each line.

    >>> by_vat_rate([AmountAtVatRate(Decimal("20"), 50, 10), AmountAtVatRate(Decimal("20.0"), 50, 10)])
    [AmountAtVatRate(vat_rate=Decimal('20'), net_pence=100, vat_pence=20)]
    """
    sums: dict[Decimal, AmountAtVatRate] = {}
    for amount in amounts:
        other = sums.get(amount.vat_rate)
        sums[amount.vat_rate] = (
            amount
            if other is None
            else other._replace(
                net_pence=other.net_pence + amount.net_pence, vat_pence=other.vat_pence + amount.vat_pence
            )
        )
    return list(sums.values())
