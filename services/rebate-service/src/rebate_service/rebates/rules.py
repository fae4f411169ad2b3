"""What an invoice or a payment is worth under an agreement, and what may become of a rebate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from council_common.errors import IllegalMove

from rebate_service.agreements.rules import Collection, Terms
from rebate_service.rebates.linear import (
    Days,
    Share,
    accelerated_days,
    base_pence,
    clock_starts_on,
    elapsed_days,
    rate_for,
    rebate_parts,
)


class RebateStatus(StrEnum):
    """`outside` is an invoice or payment without an agreement in force: kept in case one is told later."""

    EXPECTED = "expected"
    EARNED = "earned"
    MISSED = "missed"
    REVERSED = "reversed"
    WITHDRAWN = "withdrawn"
    OUTSIDE = "outside"


_OPEN = frozenset({RebateStatus.EXPECTED, RebateStatus.OUTSIDE, RebateStatus.WITHDRAWN})
_PAID = frozenset({RebateStatus.EARNED, RebateStatus.MISSED, RebateStatus.OUTSIDE})

NEXT: dict[RebateStatus, frozenset[RebateStatus]] = {
    RebateStatus.EXPECTED: _OPEN | _PAID,
    RebateStatus.OUTSIDE: _OPEN | _PAID | {RebateStatus.REVERSED},
    RebateStatus.EARNED: _PAID | {RebateStatus.REVERSED},
    RebateStatus.MISSED: _PAID | {RebateStatus.REVERSED},
    # A payment that came back is never settled again: it is paid again under another payment's id.
    RebateStatus.REVERSED: frozenset(),
    # A cancelled invoice is expected again only when a payment of it comes back.
    RebateStatus.WITHDRAWN: frozenset({RebateStatus.EXPECTED, RebateStatus.OUTSIDE}),
}

ASSESSED = (RebateStatus.EXPECTED, RebateStatus.OUTSIDE, RebateStatus.EARNED, RebateStatus.MISSED)
"""The statuses that follow from an agreement: another version may change them."""


def move(current: str, wanted: RebateStatus) -> RebateStatus:
    """The status asked for; raises IllegalMove."""
    if wanted not in NEXT[RebateStatus(current)]:
        raise IllegalMove("The rebate", current, wanted)
    return wanted


class Missed(StrEnum):
    """Why a payment under an agreement earned nothing (payables.md §1.4)."""

    LATE_PAYMENT = "late_payment"
    DISPUTED = "disputed"


class VarianceCause(StrEnum):
    """How a deduction differs from what was earned."""

    UNDER_DEDUCTED = "under_deducted"
    OVER_DEDUCTED = "over_deducted"
    NOT_DEDUCTED = "not_deducted"
    DEDUCTED_AFTER_TERM = "deducted_after_term"
    DEDUCTED_IN_DISPUTE = "deducted_in_dispute"
    DEDUCTED_WITHOUT_AGREEMENT = "deducted_without_agreement"


class Payment(NamedTuple):
    """A payment as far as its rebate goes."""

    remitted_on: date
    arrives_on: date | None
    deducted_pence: int
    disputed: bool


class Assessment(NamedTuple):
    """What an invoice (no payment yet: expected) or a payment is worth; null where there is nothing to say."""

    status: RebateStatus
    cause: str | None = None
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
    variance_cause: str | None = None


def assess(
    shares: Sequence[Share],
    terms: Terms | None,
    *,
    received_on: date,
    valid_on: date | None = None,
    payment: Payment | None = None,
) -> Assessment:
    """The one rule behind expectation, earning, quotes and recomputation; `terms` None: no agreement in force.

    Expected is what the target day would earn. Nothing is earned in dispute, nor at or after the end of the term;
    each part payment earns on its own days (payables.md §1.4).
    """
    if terms is None:
        deducted = payment.deducted_pence if payment else 0
        cause = VarianceCause.DEDUCTED_WITHOUT_AGREEMENT if deducted else None
        return Assessment(RebateStatus.OUTSIDE, variance_pence=deducted, variance_cause=cause)
    target_on = clock_starts_on(terms, received_on, valid_on) + timedelta(days=terms.target_day)
    base = base_pence(shares, terms)
    expected = sum(_sums(shares, terms, terms.term_days - terms.target_day))
    if payment is None:
        return Assessment(RebateStatus.EXPECTED, target_on=target_on, base_pence=base, expected_pence=expected)
    elapsed = elapsed_days(terms, Days(received_on, payment.remitted_on, valid_on, payment.arrives_on))
    accelerated = accelerated_days(terms, elapsed)
    missed = _why_missed(payment, accelerated)
    earning_days = 0 if missed else accelerated
    net, vat = _sums(shares, terms, earning_days) if earning_days else (0, 0)
    difference, variance_cause = deduction_difference(net + vat, payment.deducted_pence, missed, terms.collection)
    return Assessment(
        RebateStatus.MISSED if missed else RebateStatus.EARNED,
        missed,
        target_on,
        elapsed,
        accelerated,
        rate_for(terms, earning_days).percent,
        base,
        net,
        vat,
        net + vat,
        expected,
        difference,
        variance_cause,
    )


def _sums(shares: Sequence[Share], terms: Terms, accelerated: int) -> tuple[int, int]:
    net = vat = 0
    for part in rebate_parts(shares, terms, accelerated):
        net += part.net_pence
        vat += part.vat_pence
    return net, vat


def _why_missed(payment: Payment, accelerated: int) -> Missed | None:
    if payment.disputed:
        return Missed.DISPUTED
    return None if accelerated else Missed.LATE_PAYMENT


def deduction_difference(
    earned: int, deducted: int, missed: Missed | None, collection: Collection
) -> tuple[int, VarianceCause | None]:
    """Deducted less earned, and why they differ; a rebate that is claimed need not have been deducted."""
    difference = deducted - earned
    if difference == 0 or (collection is Collection.CLAIM and deducted == 0):
        return 0, None
    if missed:
        in_dispute = missed is Missed.DISPUTED
        return difference, VarianceCause.DEDUCTED_IN_DISPUTE if in_dispute else VarianceCause.DEDUCTED_AFTER_TERM
    if difference > 0:
        return difference, VarianceCause.OVER_DEDUCTED
    return difference, VarianceCause.NOT_DEDUCTED if deducted == 0 else VarianceCause.UNDER_DEDUCTED


def left_over(shares: Sequence[Share], paid: Sequence[Share]) -> list[Share]:
    """What a part payment leaves open, per VAT rate; rates with nothing left fall away."""
    return joined([*shares, *(Share(each.vat_rate, -each.net_pence, -each.vat_pence) for each in paid)])


def joined(shares: Sequence[Share]) -> list[Share]:
    """Shares summed per VAT rate, without empty ones."""
    sums: dict[Decimal, tuple[int, int]] = {}
    for share in shares:
        net, vat = sums.get(share.vat_rate, (0, 0))
        sums[share.vat_rate] = (net + share.net_pence, vat + share.vat_pence)
    return [Share(rate, net, vat) for rate, (net, vat) in sums.items() if net or vat]
