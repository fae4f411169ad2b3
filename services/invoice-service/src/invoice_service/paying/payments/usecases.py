"""Recording payments and their return; both change the invoice, under its lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from asyncpg import UniqueViolationError
from council_bacs.credit_reasons import ArucsCode
from council_common.clock import london_date
from council_common.contracts.fields import VatShare
from council_common.contracts.invoices import InvoiceHeldV1, InvoicePaidV1, PaymentReturnedV1
from council_common.database.rows import get_row, lock_row
from council_common.errors import SourceReferenceTaken, move
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import Fact, fact, record
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.paying.payment_exceptions.rules import ExceptionKind, PaidInvoice, Resolution, exceptions_of
from invoice_service.paying.payment_exceptions.usecases import (
    found_facts,
    left_with_supplier,
    resolve_open,
    settle_instead,
)
from invoice_service.paying.payments import rules
from invoice_service.paying.payments.rules import NewPayment, PaymentStatus, Settlement
from invoice_service.paying.payments.store import Payable, holds_on, lock_payable, lock_payments_of
from invoice_service.paying.payments.tables import Payment
from invoice_service.register.credit_note_applications.store import credits_of
from invoice_service.register.credit_note_applications.usecases import set_against_again
from invoice_service.register.invoices.departments import department_of
from invoice_service.register.invoices.supplier_state import supplier_state_of
from invoice_service.register.invoices.tables import Invoice
from invoice_service.register.invoices.usecases import note_owed_again, note_settled
from invoice_service.register.invoices.vat_shares import read_shares, shares_of, slice_of, still_owed, written_shares

_CONTENT = ("invoice_id", "remitted_on", "arrives_on", "paid_pence", "deducted_pence", "method", "reference")


class Recorded(NamedTuple):
    """A new payment, and the facts that are to be recorded with it."""

    payment: Payment
    facts: list[Fact]


async def record_payment(session: AsyncSession, new: NewPayment, *, by: Actor, at: datetime) -> tuple[Payment, bool]:
    """Record what the paying system did; the payment and whether it is new.

    It happened, whatever rule it broke: that is an exception beside it. Refused is only what contradicts itself.
    """
    new = checked(new, today=london_date(at))
    source = new.source_system, new.source_reference
    payable = await lock_payable(session, new.invoice_id, source=source, remitted_on=new.remitted_on)
    known = next(
        (payment for payment in payable.payments if (payment.source_system, payment.source_reference) == source), None
    )
    if known is not None:
        return same_payment(known, new), False
    recorded = paid(payable, new, by=by, at=at)
    try:
        await record(session, *recorded.facts, by=by, at=at)
    except UniqueViolationError:
        # Sent for another invoice at this very moment, so that this one's lock was no help.
        raise SourceReferenceTaken("payment") from None
    return recorded.payment, True


def checked(new: NewPayment, *, today: date) -> NewPayment:
    """A payment whose days can be, with the day its funds arrive. Raises PaymentMalformed and DateRefused."""
    arrives_on = rules.arrival(new.method, remitted_on=new.remitted_on, stated=new.arrives_on)
    rules.check_dates(remitted_on=new.remitted_on, arrives_on=arrives_on, today=today)
    return replace(new, arrives_on=arrives_on)


def same_payment(known: Payment, new: NewPayment) -> Payment:
    """The payment known under a source reference. Raises SourceReferenceTaken where it is another."""
    different = [name for name in _CONTENT if getattr(known, name) != getattr(new, name)]
    if different:
        raise SourceReferenceTaken("payment", record_id=known.id, fields=different)
    return known


def paid(
    payable: Payable, new: NewPayment, *, make: Callable[..., Payment] = Payment, by: Actor, at: datetime
) -> Recorded:
    """What a payment does to its locked invoice: settles as much as is owed, and what is wrong with it is found.

    `make` makes its row of the columns by name.
    """
    invoice = payable.invoice
    settles = rules.settlement(new.paid_pence, new.deducted_pence, outstanding_pence=_owed(invoice))
    found = exceptions_of(
        PaidInvoice(
            kind=invoice.kind,
            status=invoice.status,
            is_approved=invoice.approved_at is not None or invoice.historic,
            was_settled=invoice.is_settled,
            received_on=invoice.received_on,
            hold_reasons=invoice.hold_reasons,
            held_when_sent=payable.held_when_sent,
        ),
        remitted_on=new.remitted_on,
        beyond_pence=new.paid_pence + new.deducted_pence - settles.settles_pence,
        overpaid_pence=settles.overpaid_pence,
    )
    payment = make(
        **{name: getattr(new, name) for name in (*_CONTENT, "source_system", "source_reference")},
        id=new_id(),
        supplier_id=invoice.supplier_id,
        overpaid_pence=settles.overpaid_pence,
        vat_shares=[],
        exceptions=[one.kind.value for one in found],
        status=PaymentStatus.MADE,
        recorded_by=by.subject,
        recorded_by_name=by.name,
        recorded_at=at,
    )
    settled = _settle(payable, payment, settles)
    facts = [settled, fact(payment, "recorded")]
    facts += found_facts(invoice, payment.id, found, remitted_on=new.remitted_on, by=by, at=at)
    return Recorded(payment, facts)


async def return_payment(
    session: AsyncSession,
    payment_id: UUID,
    *,
    reason: ArucsCode,
    note: str | None,
    returned_on: date,
    by: Actor,
    at: datetime,
) -> tuple[Payment, bool]:
    """Record that a payment came back; the payment and whether that is new: sent again it changes nothing.

    The invoice is owed again, and held where its supplier may not be paid. Raises IllegalMove where it came back on
    another day or for another reason.
    """
    payment = await get_row(session, Payment, payment_id)
    blocked = await supplier_state_of(session, payment.supplier_id)
    invoice = await lock_row(session, Invoice, payment.invoice_id)
    payments = await lock_payments_of(session, invoice.id)
    payment = next(payment for payment in payments if payment.id == payment_id)
    if (payment.status, payment.return_reason, payment.returned_on) == (PaymentStatus.RETURNED, reason, returned_on):
        return payment, False
    status = move(rules.NEXT, payment.status, PaymentStatus.RETURNED, thing="The payment")
    rules.check_return(remitted_on=payment.remitted_on, returned_on=returned_on, today=london_date(at))
    payment.status, payment.return_reason, payment.returned_on = status, reason, returned_on
    settled = payment.settled
    invoice.paid_pence -= settled.paid_pence
    invoice.deducted_pence -= settled.deducted_pence
    credited = await set_against_again(session, invoice) if settled.settles_pence else []
    if _owed(invoice) and invoice.is_settled:
        note_owed_again(invoice)
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
    facts += await resolve_open(session, invoice, payment_id, Resolution.PAYMENT_RETURNED, by=by, at=at)
    facts += credited
    if settled.settles_pence:
        facts += await _settle_instead(session, invoice, payments, by=by, at=at)
    holds = blocked.hold(invoice, by=by, at=at) if _owed(invoice) else []
    if holds:
        detail = {"reasons": [hold.reason for hold in holds]}
        facts.append(fact(invoice, "held", InvoiceHeldV1, detail=detail))
    await record(session, *facts, also=holds, by=by, at=at)
    return payment, True


async def _settle_instead(
    session: AsyncSession, invoice: Invoice, payments: Sequence[Payment], *, by: Actor, at: datetime
) -> list[Fact]:
    """Let a second payment settle the invoice whose first came back: nobody pays thrice, or recovers the second.

    Not one whose money came back in another way, or never went.
    """
    facts: list[Fact] = []
    for payment in payments:
        if payment.status != PaymentStatus.MADE or payment.vat_shares or not _owed(invoice):
            continue
        if not await left_with_supplier(session, payment.id, ExceptionKind.PAID_TWICE):
            continue
        holds = await holds_on(session, invoice.id, payment.remitted_on)
        credits_ = await credits_of(session, invoice)
        payable = Payable(invoice, payments, holds["dispute_ended_on"], holds["held_when_sent"], credits_)
        settles = rules.settlement(payment.paid_pence, payment.deducted_pence, outstanding_pence=_owed(invoice))
        payment.overpaid_pence = settles.overpaid_pence
        facts += [_settle(payable, payment, settles), fact(payment, "settles instead")]
        facts += await settle_instead(session, invoice, payment.id, recover_pence=settles.overpaid_pence, by=by, at=at)
    return facts


def _owed(invoice: Invoice) -> int:
    """What a payment can settle: nothing of a credit note, which the supplier owes."""
    return max(0, invoice.outstanding_pence)


def _settled_by(payments: Sequence[Payment]) -> list[list[VatShare]]:
    """What the payments of an invoice that have not come back settle, per VAT rate."""
    return [read_shares(payment.vat_shares) for payment in payments if payment.status == PaymentStatus.MADE]


def _settle(payable: Payable, payment: Payment, settles: Settlement) -> Fact:
    """Take what a payment settles off its locked invoice; the fact about the invoice, with an event if it settles."""
    invoice = payable.invoice
    if not settles.settles_pence:
        return fact(invoice, "payment recorded", detail=_detail(payment))
    settled = [*_settled_by(payable.payments), *payable.credits]
    shares = slice_of(still_owed(shares_of(invoice.lines), settled), settles.settles_pence)
    payment.vat_shares = written_shares(shares)
    invoice.paid_pence += settles.paid_pence
    invoice.deducted_pence += settles.deducted_pence
    if invoice.outstanding_pence == 0:
        note_settled(invoice, on=payment.remitted_on)
    valid_on, disputed = rules.valid_since(
        payable.dispute_ended_on, received_on=invoice.received_on, remitted_on=payment.remitted_on
    )
    return fact(
        invoice,
        "payment recorded",
        InvoicePaidV1,
        detail=_detail(payment),
        payment_id=payment.id,
        valid_on=valid_on,
        remitted_on=payment.remitted_on,
        arrives_on=payment.arrives_on,
        paid_pence=settles.paid_pence,
        deducted_pence=settles.deducted_pence,
        settled=invoice.is_settled,
        vat_shares=shares,
        disputed=disputed,
        method=payment.method,
        payment_reference=payment.reference or None,
        overpaid_pence=payment.overpaid_pence,
        department=department_of((line.get("department"), line["net_pence"]) for line in invoice.lines),
    )


def _detail(payment: Payment) -> dict[str, object]:
    return {"payment_id": str(payment.id), "settles_pence": payment.settled.settles_pence}
