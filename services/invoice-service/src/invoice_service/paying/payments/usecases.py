"""Recording payments and their return; both change the invoice, under its lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from asyncpg import UniqueViolationError
from council_bacs.credit_reasons import ArucsCode
from council_common.clock import london_date
from council_common.contracts.fields import VatShare
from council_common.contracts.invoices import InvoiceHeldV1, InvoicePaidV1, PaymentReturnedV1
from council_common.database.rows import get_row, lock_row
from council_common.errors import FieldError, SourceReferenceTaken, move
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import fact, record
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.paying.payments import rules
from invoice_service.paying.payments.rules import NewPayment, PaymentStatus
from invoice_service.paying.payments.store import Payable, lock_payable
from invoice_service.paying.payments.tables import Payment
from invoice_service.register.invoices import rules as invoice_rules
from invoice_service.register.invoices.rules import InvoiceKind, InvoiceStatus
from invoice_service.register.invoices.supplier_state import supplier_state_of
from invoice_service.register.invoices.tables import Invoice

_CONTENT = ("invoice_id", "remitted_on", "arrives_on", "paid_pence", "deducted_pence", "method", "reference")


async def record_payment(session: AsyncSession, new: NewPayment, *, by: Actor, at: datetime) -> tuple[Payment, bool]:
    """Record what was paid; the payment and whether it is new. Part payments are fine, over-payments are not."""
    arrives_on = rules.arrival(new.method, remitted_on=new.remitted_on, stated=new.arrives_on)
    new = replace(new, arrives_on=arrives_on)
    source = new.source_system, new.source_reference
    payable = await lock_payable(session, new.invoice_id, source=source, remitted_on=new.remitted_on)
    known = next(
        (payment for payment in payable.payments if (payment.source_system, payment.source_reference) == source), None
    )
    if known is not None:
        return _same(known, new), False
    _check(payable.invoice, new, today=london_date(at))
    owed = rules.still_owed(_shares_of(payable.invoice), _settled_by(payable.payments))
    settled = rules.slice_of(owed, new.settles_pence)
    payment = Payment(
        **{name: getattr(new, name) for name in (*_CONTENT, "source_system", "source_reference")},
        id=new_id(),
        supplier_id=payable.invoice.supplier_id,
        vat_shares=[share.model_dump(mode="json") for share in settled],
        status=PaymentStatus.MADE,
        recorded_by=by.subject,
        recorded_at=at,
    )
    try:
        await _settle(session, payable, payment, settled, by=by, at=at)
    except UniqueViolationError:
        # Sent for another invoice at this very moment, so that this one's lock was no help.
        raise SourceReferenceTaken("payment") from None
    return payment, True


async def return_payment(
    session: AsyncSession,
    payment_id: UUID,
    *,
    reason: ArucsCode,
    note: str | None,
    returned_on: date,
    by: Actor,
    at: datetime,
) -> Payment:
    """Record that a payment came back: the invoice is owed again, and held where its supplier may not be paid."""
    payment = await get_row(session, Payment, payment_id)
    blocked = await supplier_state_of(session, payment.supplier_id)
    invoice = await lock_row(session, Invoice, payment.invoice_id)
    payment = await lock_row(session, Payment, payment_id)
    status = move(rules.NEXT, payment.status, PaymentStatus.RETURNED, thing="The payment")
    rules.check_return(remitted_on=payment.remitted_on, returned_on=returned_on, today=london_date(at))
    payment.status, payment.return_reason, payment.returned_on = status, reason, returned_on
    invoice.paid_pence -= payment.paid_pence
    invoice.deducted_pence -= payment.deducted_pence
    if invoice.status == InvoiceStatus.PAID:
        invoice.status = invoice_rules.move(InvoiceStatus.PAID, InvoiceStatus.APPROVED)
        invoice.paid_on = None
    returned = fact(
        invoice,
        "payment returned",
        PaymentReturnedV1,
        reason=reason,
        detail=_detail(payment),
        payment_id=payment.id,
        returned_on=returned_on,
        paid_pence=payment.paid_pence,
        deducted_pence=payment.deducted_pence,
    )
    facts = [returned, fact(payment, "returned", reason=reason, detail={"note": note} if note else {})]
    holds = blocked.hold(invoice, by=by, at=at)
    if holds:
        detail = {"reasons": [hold.reason for hold in holds]}
        facts.append(fact(invoice, "held", InvoiceHeldV1, detail=detail))
    await record(session, *facts, also=holds, by=by, at=at)
    return payment


def _same(known: Payment, new: NewPayment) -> Payment:
    different = [name for name in _CONTENT if getattr(known, name) != getattr(new, name)]
    if different:
        raise SourceReferenceTaken("payment", record_id=known.id, fields=different)
    return known


def _check(invoice: Invoice, new: NewPayment, *, today: date) -> None:
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        raise rules.CreditNoteNotPayable("A credit note is applied to invoices, not paid.")
    if invoice.status == InvoiceStatus.HELD:
        raise invoice_rules.InvoiceHeld("The invoice is held and may not be paid.", hold_reasons=invoice.hold_reasons)
    if invoice.status not in (InvoiceStatus.APPROVED, InvoiceStatus.SCHEDULED):
        raise rules.InvoiceNotApproved(f"The invoice is {invoice.status}, not approved.", current=invoice.status)
    rules.check_dates(
        remitted_on=new.remitted_on, arrives_on=new.arrives_on, received_on=invoice.received_on, today=today
    )
    if new.settles_pence > invoice.outstanding_pence:
        outstanding = invoice.outstanding_pence
        right = f"{outstanding} in all, with deducted_pence"
        raise rules.ExceedsOutstanding(
            "Paid and deducted are more than is outstanding.",
            errors=[FieldError("paid_pence", "is more than is outstanding", right)],
            outstanding_pence=outstanding,
        )


def _shares_of(invoice: Invoice) -> list[VatShare]:
    return invoice_rules.vat_shares(
        [
            invoice_rules.Line(
                description="",
                net_pence=line["net_pence"],
                vat_rate=Decimal(line["vat_rate"]),
                vat_pence=line["vat_pence"],
            )
            for line in invoice.lines
        ]
    )


def _settled_by(payments: Sequence[Payment]) -> list[list[VatShare]]:
    """What the payments of an invoice that have not come back settle, per VAT rate."""
    made = [payment for payment in payments if payment.status == PaymentStatus.MADE]
    return [[VatShare.model_validate(share) for share in payment.vat_shares] for payment in made]


async def _settle(
    session: AsyncSession, payable: Payable, payment: Payment, settled: list[VatShare], *, by: Actor, at: datetime
) -> None:
    invoice = payable.invoice
    invoice.paid_pence += payment.paid_pence
    invoice.deducted_pence += payment.deducted_pence
    if invoice.outstanding_pence == 0:
        invoice.status = invoice_rules.move(invoice.status, InvoiceStatus.PAID)
        invoice.paid_on = payment.remitted_on
    valid_on, disputed = rules.valid_since(
        payable.dispute_ended_on, received_on=invoice.received_on, remitted_on=payment.remitted_on
    )
    paid = fact(
        invoice,
        "payment recorded",
        InvoicePaidV1,
        detail=_detail(payment),
        payment_id=payment.id,
        valid_on=valid_on,
        remitted_on=payment.remitted_on,
        arrives_on=payment.arrives_on,
        paid_pence=payment.paid_pence,
        deducted_pence=payment.deducted_pence,
        settled=invoice.status == InvoiceStatus.PAID,
        vat_shares=settled,
        disputed=disputed,
        method=payment.method,
        payment_reference=payment.reference or None,
    )
    await record(session, paid, fact(payment, "recorded"), by=by, at=at)


def _detail(payment: Payment) -> dict[str, object]:
    return {"payment_id": str(payment.id), "settles_pence": payment.paid_pence + payment.deducted_pence}
