"""Recording payments and their return; both change the invoice, under its lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from council_bacs.credit_reasons import ArucsCode
from council_common.clock import london_date
from council_common.contracts.fields import VatShare
from council_common.contracts.invoices import InvoiceHeldV1, InvoicePaidV1, PaymentReturnedV1
from council_common.database.history import record_change
from council_common.errors import FieldError
from council_common.events.outbox import publish
from council_common.identity.actor import Actor
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.paying.payments import rules, store
from invoice_service.paying.payments.rules import Method, Status
from invoice_service.paying.payments.tables import Payment
from invoice_service.register.invoices import rules as invoice_rules
from invoice_service.register.invoices.store import dispute_ended_on, lock_invoice
from invoice_service.register.invoices.supplier_state import supplier_state_of
from invoice_service.register.invoices.tables import Invoice

_Invoiced = invoice_rules.Status


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A payment as the paying system tells it."""

    invoice_id: UUID
    source_system: str
    source_reference: str
    remitted_on: date
    arrives_on: date | None
    paid_pence: int
    deducted_pence: int
    method: Method
    reference: str

    @property
    def settles_pence(self) -> int:
        return self.paid_pence + self.deducted_pence


_CONTENT = ("invoice_id", "remitted_on", "arrives_on", "paid_pence", "deducted_pence", "method", "reference")


async def record_payment(session: AsyncSession, told: NewPayment, *, by: Actor, at: datetime) -> tuple[Payment, bool]:
    """Record what was paid; the payment and whether it is new. Part payments are fine, over-payments are not."""
    arrives_on = rules.arrival(told.method, remitted_on=told.remitted_on, stated=told.arrives_on)
    told = replace(told, arrives_on=arrives_on)
    invoice = await lock_invoice(session, told.invoice_id)
    source = told.source_system, told.source_reference
    payments = await store.of_invoice_or_source(session, invoice.id, *source)
    known = next((each for each in payments if (each.source_system, each.source_reference) == source), None)
    if known is not None:
        return _same(known, told), False
    _check(invoice, told, today=london_date(at))
    owed = rules.still_owed(_shares_of(invoice), _settled_by(payments))
    settled = rules.slice_of(owed, told.settles_pence)
    values = {name: getattr(told, name) for name in (*_CONTENT, "source_system", "source_reference")}
    values |= {
        "id": new_id(),
        "version": 1,
        "supplier_id": invoice.supplier_id,
        "vat_shares": [share.model_dump(mode="json") for share in settled],
        "status": Status.MADE,
        "recorded_by": by.subject,
        "recorded_at": at,
    }
    payment = await store.insert_payment(session, values)
    if payment is None:
        # Told for another invoice at this very moment, so that its lock was no help.
        raise rules.SourceReferenceTaken("This source reference names a payment of another invoice.")
    await _settle(session, invoice, payment, settled, by=by, at=at)
    return payment, True


async def return_payment(
    session: AsyncSession, payment_id: UUID, *, reason: ArucsCode, returned_on: date, by: Actor, at: datetime
) -> Payment:
    """Record that a payment came back: the invoice is owed again, and held where its supplier may not be paid."""
    payment = await store.get_payment(session, payment_id)
    blocked = await supplier_state_of(session, payment.supplier_id)
    invoice = await lock_invoice(session, payment.invoice_id)
    payment = await store.reread(session, payment)
    if Status.RETURNED not in rules.NEXT[Status(payment.status)]:
        raise rules.AlreadyReturned("This payment came back before.", returned_on=str(payment.returned_on))
    rules.check_return(remitted_on=payment.remitted_on, returned_on=returned_on, today=london_date(at))
    payment.status, payment.reason_code, payment.returned_on = Status.RETURNED, reason, returned_on
    payment.version += 1
    invoice.paid_pence -= payment.paid_pence
    invoice.deducted_pence -= payment.deducted_pence
    if invoice.status == _Invoiced.PAID:
        invoice.status = invoice_rules.move(_Invoiced.PAID, _Invoiced.APPROVED)
        invoice.paid_on = None
    await _record(session, invoice, payment, "payment returned", "returned", by=by, at=at, reason=reason)
    await publish(
        session,
        PaymentReturnedV1(
            **_about(invoice, by, at),
            payment_id=payment.id,
            returned_on=returned_on,
            reason_code=reason.value,
            gross_pence=invoice.gross_pence,
            paid_pence=payment.paid_pence,
            deducted_pence=payment.deducted_pence,
        ),
    )
    reasons = await blocked.place(session, invoice, by=by, at=at)
    if reasons:
        await publish(session, InvoiceHeldV1(**_about(invoice, by, at), hold_reasons=invoice.hold_reasons))
    return payment


def _same(known: Payment, told: NewPayment) -> Payment:
    different = [name for name in _CONTENT if getattr(known, name) != getattr(told, name)]
    if different:
        raise rules.SourceReferenceTaken(
            "This source reference names a payment with other content.", payment_id=str(known.id), fields=different
        )
    return known


def _check(invoice: Invoice, told: NewPayment, *, today: date) -> None:
    if invoice.kind == invoice_rules.Kind.CREDIT_NOTE:
        raise rules.CreditNoteNotPayable("A credit note is applied to invoices, not paid.")
    if invoice.status == _Invoiced.HELD:
        raise invoice_rules.InvoiceHeld("The invoice is held and may not be paid.", hold_reasons=invoice.hold_reasons)
    if invoice.status not in (_Invoiced.APPROVED, _Invoiced.SCHEDULED):
        raise rules.InvoiceNotApproved(f"The invoice is {invoice.status}, not approved.", current=invoice.status)
    rules.check_dates(
        remitted_on=told.remitted_on, arrives_on=told.arrives_on, received_on=invoice.received_on, today=today
    )
    if told.settles_pence > invoice.outstanding_pence:
        outstanding = invoice.outstanding_pence
        right = f"{outstanding} in all, with deducted_pence"
        raise rules.ExceedsOutstanding(
            "Paid and deducted are more than is outstanding.",
            errors=[FieldError("paid_pence", "more than is outstanding", right)],
            outstanding_pence=outstanding,
        )


def _shares_of(invoice: Invoice) -> list[VatShare]:
    return invoice_rules.vat_shares(
        [
            invoice_rules.Line("", line["net_pence"], Decimal(line["vat_rate"]), line["vat_pence"])
            for line in invoice.lines
        ]
    )


def _settled_by(payments: Sequence[Payment]) -> list[list[VatShare]]:
    """What the payments of an invoice that have not come back settle, per VAT rate."""
    made = [payment for payment in payments if payment.status == Status.MADE]
    return [[VatShare.model_validate(share) for share in payment.vat_shares] for payment in made]


async def _settle(
    session: AsyncSession, invoice: Invoice, payment: Payment, settled: list[VatShare], *, by: Actor, at: datetime
) -> None:
    invoice.paid_pence += payment.paid_pence
    invoice.deducted_pence += payment.deducted_pence
    if invoice.outstanding_pence == 0:
        invoice.status = invoice_rules.move(_Invoiced(invoice.status), _Invoiced.PAID)
        invoice.paid_on = payment.remitted_on
    valid_on, disputed = rules.valid_since(
        await dispute_ended_on(session, invoice.id, arisen_by=payment.remitted_on),
        received_on=invoice.received_on,
        remitted_on=payment.remitted_on,
    )
    await _record(session, invoice, payment, "payment recorded", "recorded", by=by, at=at)
    await publish(
        session,
        InvoicePaidV1(
            **_about(invoice, by, at),
            payment_id=payment.id,
            number=invoice.number,
            issued_on=invoice.issued_on,
            received_on=invoice.received_on,
            valid_on=valid_on,
            due_on=invoice.due_on,
            remitted_on=payment.remitted_on,
            arrives_on=payment.arrives_on,
            gross_pence=invoice.gross_pence,
            paid_pence=payment.paid_pence,
            deducted_pence=payment.deducted_pence,
            settled=invoice.status == _Invoiced.PAID,
            vat_shares=settled,
            disputed=disputed,
            method=Method(payment.method).value,
            payment_reference=payment.reference or None,
            purchase_order_number=invoice.purchase_order_number,
        ),
    )


def _about(invoice: Invoice, by: Actor, at: datetime) -> dict[str, Any]:
    return {
        "invoice_id": invoice.id,
        "supplier_id": invoice.supplier_id,
        "version": invoice.version,
        "occurred_at": at,
        "by": by.subject,
    }


async def _record(
    session: AsyncSession,
    invoice: Invoice,
    payment: Payment,
    invoice_action: str,
    payment_action: str,
    *,
    by: Actor,
    at: datetime,
    reason: str | None = None,
) -> None:
    """The next version of the invoice, and a line in the history of both."""
    invoice.version += 1
    await session.flush()
    detail = {"payment_id": str(payment.id), "settles_pence": payment.paid_pence + payment.deducted_pence}
    for entity, row, action, said in (
        ("invoice", invoice, invoice_action, detail),
        ("payment", payment, payment_action, {}),
    ):
        await record_change(
            session,
            entity=entity,
            entity_id=row.id,
            version=row.version,
            action=action,
            by=by,
            at=at,
            reason=reason,
            detail=said,
        )
