"""Plausible events and records; say only what a test is about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from council_common.contracts.debts import (
    AllocationReversedV1,
    DunningNoticeIssuedV1,
    HoldPlacedV1,
    ReceiptAllocatedV1,
    ReceiptReversedV1,
    ReceivableCancelledV1,
    ReceivableCreditedV1,
    ReceivableEvent,
    ReceivableSettledV1,
)
from council_common.contracts.fields import VatShare
from council_common.contracts.invoices import InvoicePaidV1, PaymentReturnedV1
from council_common.contracts.rebates import RebateEarnedV1, RebateMissedV1, UnagreedDeductionFoundV1
from council_common.contracts.suppliers import BankAccountChangeRequestedV1
from council_common.ids import new_id

NOW = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)
COMMON: dict[str, Any] = {"version": 1, "occurred_at": NOW, "by": "erp"}


def a_supplier(*emails: tuple[str, str], name: str = "Ackroyd Paving Ltd") -> dict[str, Any]:
    return {"name": name, "contacts": [{"name": "A", "email": mail, "purpose": purpose} for mail, purpose in emails]}


def a_customer(
    email: str | None = "mrs.ames@home.example",
    *,
    name: str = "Mrs E. Ames",
    kind: str = "individual",
    lines: tuple[str, ...] = ("4 Mill Lane", "Ashford"),
    postcode: str | None = "TN23 1AA",
    suppressed: bool = False,
) -> dict[str, Any]:
    address = {"lines": list(lines), "postcode": postcode}
    record = {"name": name, "email": email, "address": address, "preferred_channel": "email", "kind": kind}
    return record | {"suppressed": suppressed, "on_hold": False}


def a_payment(
    *,
    supplier_id: UUID,
    payment_id: UUID | None = None,
    paid_pence: int = 118_800,
    deducted_pence: int = 1_200,
    **more: Any,
) -> InvoicePaidV1:
    given: dict[str, Any] = {
        "invoice_id": new_id(),
        "supplier_id": supplier_id,
        "payment_id": payment_id or new_id(),
        "number": "INV-0001",
        "issued_on": date(2026, 2, 27),
        "received_on": date(2026, 3, 1),
        "due_on": date(2026, 3, 31),
        "remitted_on": date(2026, 3, 11),
        "arrives_on": date(2026, 3, 13),
        "gross_pence": paid_pence + deducted_pence,
        "paid_pence": paid_pence,
        "deducted_pence": deducted_pence,
        "settled": True,
        "vat_shares": [VatShare(vat_rate="20", net_pence=100_000, vat_pence=20_000)],  # type: ignore[arg-type]
    }
    return InvoicePaidV1(**COMMON | given | more)


def an_earned_rebate(paid: InvoicePaidV1, **more: Any) -> RebateEarnedV1:
    given = {
        "rebate_id": new_id(),
        "invoice_id": paid.invoice_id,
        "supplier_id": paid.supplier_id,
        "agreement_id": new_id(),
        "agreement_version": 1,
        "payment_id": paid.payment_id,
        "received_on": paid.received_on,
        "remitted_on": paid.remitted_on,
        "elapsed_days": 10,
        "accelerated_days": 20,
        "rate_percent": "1.00",
        "base_pence": 100_000,
        "rebate_net_pence": 1_000,
        "rebate_vat_pence": 200,
        "rebate_pence": 1_200,
        "expected_pence": 1_200,
        "deducted_pence": paid.deducted_pence,
    }
    return RebateEarnedV1(**COMMON | given | more)


def a_missed_rebate(paid: InvoicePaidV1) -> RebateMissedV1:
    return RebateMissedV1(
        **COMMON,
        rebate_id=new_id(),
        invoice_id=paid.invoice_id,
        supplier_id=paid.supplier_id,
        agreement_id=new_id(),
        agreement_version=1,
        payment_id=paid.payment_id,
        expected_pence=1_200,
        cause="late_payment",
    )


def an_unagreed_deduction(paid: InvoicePaidV1) -> UnagreedDeductionFoundV1:
    return UnagreedDeductionFoundV1(
        **COMMON,
        rebate_id=new_id(),
        invoice_id=paid.invoice_id,
        supplier_id=paid.supplier_id,
        payment_id=paid.payment_id,
        deducted_pence=paid.deducted_pence,
        cause="deducted_without_agreement",
    )


def a_return(paid: InvoicePaidV1) -> PaymentReturnedV1:
    return PaymentReturnedV1(
        **COMMON | {"version": 2},
        invoice_id=paid.invoice_id,
        supplier_id=paid.supplier_id,
        payment_id=paid.payment_id,
        returned_on=date(2026, 3, 16),
        reason="0",
        gross_pence=paid.gross_pence,
        paid_pence=paid.paid_pence,
        deducted_pence=paid.deducted_pence,
    )


def a_notice(*, customer_id: UUID, **more: Any) -> DunningNoticeIssuedV1:
    given: dict[str, Any] = {
        "receivable_id": new_id(),
        "customer_id": customer_id,
        "notice_id": new_id(),
        "run_id": new_id(),
        "level": 1,
        "template": "reminder",
        "channel": "email",
        "issued_on": date(2026, 3, 11),
        "due_on": date(2026, 3, 3),
        "number": "R0000123",
        "outstanding_pence": 4_550,
        "days_overdue": 8,
    }
    return DunningNoticeIssuedV1(**COMMON | given | more)


def a_hold(notice: DunningNoticeIssuedV1) -> HoldPlacedV1:
    """Breathing space on the debt a notice is about."""
    return HoldPlacedV1(**_debt_of(notice), hold_id=new_id(), kind="breathing_space", review_on=date(2026, 4, 5))


def a_part_payment(notice: DunningNoticeIssuedV1) -> ReceiptAllocatedV1:
    """All but ten pounds of what a notice asks for."""
    return ReceiptAllocatedV1(
        **_debt_of(notice),
        receipt_id=new_id(),
        received_on=date(2026, 3, 11),
        allocated_pence=notice.outstanding_pence - 1_000,
        outstanding_pence=1_000,
        basis="quoted_reference",
    )


def a_reversal(notice: DunningNoticeIssuedV1) -> ReceiptReversedV1:
    """Forty pounds that had been paid came back."""
    return ReceiptReversedV1(
        **_debt_of(notice),
        receipt_id=new_id(),
        reversed_on=date(2026, 3, 11),
        reversed_pence=4_000,
        outstanding_pence=notice.outstanding_pence + 4_000,
        status="overdue",
    )


def a_misplacement(notice: DunningNoticeIssuedV1) -> AllocationReversedV1:
    """Forty pounds had been set against the wrong debt."""
    return AllocationReversedV1(
        **_debt_of(notice),
        receipt_id=new_id(),
        reversed_on=date(2026, 3, 11),
        reversed_pence=4_000,
        outstanding_pence=notice.outstanding_pence + 4_000,
        status="overdue",
        reason="wrong_debt",
    )


def a_settlement(notice: DunningNoticeIssuedV1) -> ReceivableSettledV1:
    return ReceivableSettledV1(**_debt_of(notice), settled_on=date(2026, 3, 11))


def a_credit_note(notice: DunningNoticeIssuedV1) -> ReceivableCancelledV1:
    return ReceivableCancelledV1(**_debt_of(notice), cancelled_pence=notice.outstanding_pence, reason="raised_in_error")


def a_part_credit(notice: DunningNoticeIssuedV1) -> ReceivableCreditedV1:
    """Ten pounds of what a notice asks for were taken back."""
    return ReceivableCreditedV1(
        **_debt_of(notice),
        credited_pence=1_000,
        outstanding_pence=notice.outstanding_pence - 1_000,
        reason="wrong_amount",
    )


def _debt_of(notice: ReceivableEvent) -> dict[str, Any]:
    return COMMON | {"version": 2, "receivable_id": notice.receivable_id, "customer_id": notice.customer_id}


def a_bank_change(*, supplier_id: UUID) -> BankAccountChangeRequestedV1:
    return BankAccountChangeRequestedV1(
        **COMMON, supplier_id=supplier_id, change_id=new_id(), requested_on=date(2026, 3, 11)
    )


def a_warned_contact(email: str, *, removed_on: str | None = None) -> dict[str, Any]:
    """One contact of supplier-service's answer to whom a change is announced."""
    held = "current" if removed_on is None else "removed"
    return {"name": "A", "email": email, "held": held, "removed_on": removed_on}
