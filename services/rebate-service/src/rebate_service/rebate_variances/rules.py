"""Who owns a variance, and how it is resolved. What a variance is, and its causes: `rebates.rules`."""

from __future__ import annotations

from enum import StrEnum

OWNER = "early_payment_coordinator"
"""The role whose work list has the variances; the coordinator runs the programme day to day."""


class VarianceStatus(StrEnum):
    """A variance waits for its owner, or was resolved."""

    OPEN = "open"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """How a variance was resolved. The last two are set by the platform only."""

    CORRECTED_ON_NEXT_PAYMENT = "corrected_on_next_payment"
    CLAIMED_FROM_SUPPLIER = "claimed_from_supplier"
    REFUNDED_TO_SUPPLIER = "refunded_to_supplier"
    AGREEMENT_MISSING = "agreement_missing"
    WRONG_DAY_USED = "wrong_day_used"
    WRONG_RATE_USED = "wrong_rate_used"
    WRONG_VAT_USED = "wrong_vat_used"
    ROUNDING = "rounding"
    WAIVED = "waived"
    OTHER = "other"
    PAYMENT_RETURNED = "payment_returned"
    ASSESSED_AGAIN = "assessed_again"


AUTOMATIC = frozenset({Resolution.PAYMENT_RETURNED, Resolution.ASSESSED_AGAIN})

NEXT: dict[VarianceStatus, frozenset[VarianceStatus]] = {
    VarianceStatus.OPEN: frozenset({VarianceStatus.RESOLVED}),
    VarianceStatus.RESOLVED: frozenset(),
}
