"""What a remittance advice says, and for how long it waits for the rebate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from council_common.contracts.invoices import InvoicePaidV1
from council_common.contracts.rebates import RebateEarnedV1

REMITTANCE_ADVICE = "remittance_advice"

METHODS = {
    "bacs": "bank transfer (Bacs)",
    "faster_payment": "bank transfer (Faster Payments)",
    "cheque": "cheque",
    "card": "card",
    "direct_debit": "Direct Debit",
}
"""A payment's method as a supplier reads it, every one there is."""

EARNED_NOTHING = {"outcome": "missed"}
"""The payment was too late, or the invoice in dispute."""
NO_AGREEMENT = {"outcome": "no_agreement"}
"""A rebate was taken off though no agreement was in force."""

WAITS_FOR_REBATE = timedelta(minutes=15)
"""A supplier learns of its money the same day, with the arithmetic or, when that is late, without."""

KEEPS_REBATES = timedelta(days=30)
"""How long a rebate waits for its payment, which may come later by any time a broker may be away."""


class RemittanceStatus(StrEnum):
    """`waiting` for the rebate; `written` as a message; `cancelled` because the payment came back first."""

    WAITING = "waiting"
    WRITTEN = "written"
    CANCELLED = "cancelled"


class PaymentOfTwoInvoices(Exception):
    """One payment id came with two invoices. A dead letter is seen; an advice that is silently short is not."""


def payment_facts(paid: InvoicePaidV1) -> dict[str, Any]:
    """What the advice says of a payment, in plain values: whole pence and ISO dates."""
    return {
        "remitted_on": paid.remitted_on.isoformat(),
        "arrives_on": _iso(paid.arrives_on),
        "method": paid.method,
        "payment_reference": paid.payment_reference,
        "item": {
            "number": paid.number,
            "purchase_order_number": paid.purchase_order_number,
            "issued_on": paid.issued_on.isoformat(),
            "gross_pence": paid.gross_pence,
            "paid_pence": paid.paid_pence,
            "deducted_pence": paid.deducted_pence,
            "credited_pence": paid.credited_pence,
            "overpaid_pence": paid.overpaid_pence,
            "settled": paid.settled,
        },
    }


def earned_facts(earned: RebateEarnedV1) -> dict[str, Any]:
    """The arithmetic of a rebate as its debit note shows it: the days by the agreed clock, the rebate and its VAT.

    Source: the programme's terms ask for the rebate percentage and the days accelerated on the debit note; VAT is
    adjusted at the rate of what was invoiced (VAT Regulations 1995 reg 38), so each VAT rate has a part of its own.
    """
    return {
        "outcome": "earned",
        "reference": str(earned.rebate_id),
        "received_on": earned.received_on.isoformat(),
        "remitted_on": earned.remitted_on.isoformat(),
        "clock_started_on": _iso(earned.clock_started_on),
        "clock_ended_on": _iso(earned.clock_ended_on),
        "elapsed_days": earned.elapsed_days,
        "accelerated_days": earned.accelerated_days,
        "rate_percent": format(earned.rate_percent, "f"),
        "base_pence": earned.base_pence,
        "net_pence": earned.rebate_net_pence,
        "vat_pence": earned.rebate_vat_pence,
        "parts": [
            {
                "vat_rate": format(part.vat_rate, "f"),
                "net_pence": part.net_pence,
                "vat_pence": part.vat_pence,
            }
            for part in earned.parts or ()
        ],
        "rebate_pence": earned.rebate_pence,
        "too_much_pence": max(0, earned.deducted_pence - earned.rebate_pence),
        "too_little_pence": max(0, earned.rebate_pence - earned.deducted_pence),
    }


def advice_values(payment: Mapping[str, Any], rebate: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values of the template `remittance_advice`, for one payment and what is known of its rebate."""
    item = dict(payment["item"])
    outcome = rebate["outcome"] if rebate and item["deducted_pence"] else None
    item["rebate"] = rebate if outcome == "earned" else None
    item["rebate_not_earned"] = outcome == EARNED_NOTHING["outcome"]
    item["no_agreement"] = outcome == NO_AGREEMENT["outcome"]
    return {
        "remitted_on": payment["remitted_on"],
        "arrives_on": payment["arrives_on"],
        "method": METHODS.get(payment["method"]),
        "payment_reference": payment["payment_reference"],
        "items": [item],
        # What the supplier's bank statement shows.
        "total_paid_pence": item["paid_pence"] + item["overpaid_pence"],
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
