"""What a remittance advice says, and for how long it waits for the rebate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from council_common.contracts.invoices import InvoicePaidV1
from council_common.contracts.rebates import RebateEarnedV1, RebateMissedV1

REMITTANCE_ADVICE = "remittance_advice"
ABOUT_PAYMENT = "payment"
METHOD = "bank transfer (Bacs)"

WAITS_FOR_REBATE = timedelta(minutes=15)
"""A supplier is told of its money the same day, with the arithmetic or, when that is late, without."""

KEEPS_REBATES = timedelta(days=30)
"""How long a rebate waits for its payment, which may come later by any time a broker may be away."""


class RemittanceStatus(StrEnum):
    """`waiting` for the rebate; `written` as a message; `cancelled` because the payment came back first."""

    WAITING = "waiting"
    WRITTEN = "written"
    CANCELLED = "cancelled"


class PaymentOfTwoInvoices(Exception):
    """One payment id came with two invoices. Events put aside are seen; an advice that is silently short is not."""


def payment_facts(paid: InvoicePaidV1) -> dict[str, Any]:
    """What the advice says of a payment, in plain values: whole pence and ISO dates."""
    return {
        "remitted_on": paid.remitted_on.isoformat(),
        "arrives_on": paid.arrives_on.isoformat() if paid.arrives_on else None,
        "item": {
            "number": paid.number,
            "issued_on": paid.issued_on.isoformat(),
            "gross_pence": paid.gross_pence,
            "paid_pence": paid.paid_pence,
            "deducted_pence": paid.deducted_pence,
            "settled": paid.settled,
        },
    }


def earned_facts(earned: RebateEarnedV1) -> dict[str, Any]:
    """The arithmetic of a rebate as its debit note shows it (payables.md §1.1, §1.3)."""
    return {
        "reference": str(earned.rebate_id),
        "received_on": earned.received_on.isoformat(),
        "remitted_on": earned.remitted_on.isoformat(),
        "elapsed_days": earned.elapsed_days,
        "accelerated_days": earned.accelerated_days,
        "rate_percent": format(earned.rate_percent, "f"),
        "base_pence": earned.base_pence,
        "net_pence": earned.rebate_net_pence,
        "vat_pence": earned.rebate_vat_pence,
        "rebate_pence": earned.rebate_pence,
        "difference_pence": earned.deducted_pence - earned.rebate_pence,
    }


def missed_facts(missed: RebateMissedV1) -> dict[str, Any]:
    """A rebate that was not earned."""
    return {"missed": missed.cause}


def advice_values(payment: Mapping[str, Any], rebate: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values of the template `remittance_advice`, for one payment and what is known of its rebate."""
    item = dict(payment["item"])
    earned = rebate if rebate and "missed" not in rebate else None
    item["rebate"] = dict(earned) if earned and item["deducted_pence"] else None
    item["rebate_not_earned"] = bool(rebate and "missed" in rebate and item["deducted_pence"])
    return {
        "remitted_on": payment["remitted_on"],
        "arrives_on": payment["arrives_on"],
        "method": METHOD,
        "items": [item],
        "total_paid_pence": item["paid_pence"],
    }
