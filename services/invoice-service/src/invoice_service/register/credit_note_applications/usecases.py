"""Setting a credit note against an invoice, and its money coming back."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.fields import VatShare
from council_common.contracts.invoices import CreditNoteAppliedV1, CreditNoteRefundedV1
from council_common.database.rows import get_row, lock_row
from council_common.errors import move, not_in_future, not_too_early
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import Fact, fact, record
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.credit_note_applications import rules, store
from invoice_service.register.credit_note_applications.rules import Amounts, ApplicationStatus, RefundReason
from invoice_service.register.credit_note_applications.tables import CreditNoteApplication
from invoice_service.register.invoices.rules import ENDED, InvoiceKind, InvoiceStatus
from invoice_service.register.invoices.tables import Invoice
from invoice_service.register.invoices.usecases import note_settled
from invoice_service.register.invoices.vat_shares import mirrored, shares_of, slice_of, still_owed, written_shares


async def apply_credit_note(
    session: AsyncSession,
    credit_note_id: UUID,
    invoice_id: UUID | None,
    *,
    applied_pence: int | None,
    note: str,
    by: Actor,
    at: datetime,
) -> CreditNoteApplication:
    """Set a credit note, or a part of it, against an invoice of its supplier; without one it is to be refunded.

    Never by the person or system that received the note: it lowers what a supplier is paid. Raises NotACreditNote,
    CreditNoteNotUsable, CreditNotApplicable, CreditExceeds.
    """
    locked = {
        id_: await lock_row(session, Invoice, id_) for id_ in sorted({credit_note_id, invoice_id or credit_note_id})
    }
    credit_note, invoice = locked[credit_note_id], locked.get(invoice_id) if invoice_id else None
    by.must_differ_from(credit_note.received_by, what="Applying a credit note")
    _check_note(credit_note)
    left = -credit_note.outstanding_pence
    if invoice is None:
        amounts = rules.refund_of(applied_pence, left_of_note=left)
    else:
        _check_invoice(invoice, credit_note)
        amounts = rules.amounts_of(
            applied_pence,
            left_of_note=left,
            outstanding=invoice.outstanding_pence,
            paid=invoice.paid_pence,
            deducted=invoice.deducted_pence,
        )
    used = await store.used_of(session, credit_note)
    shares = slice_of(still_owed(mirrored(shares_of(credit_note.lines)), used), amounts.applied_pence)
    application = _application(credit_note, invoice, amounts, shares, note=note, by=by, at=at)
    facts = [fact(application, "applied", detail={"note": note})]
    if invoice is not None:
        facts.append(_against(invoice, application, shares))
    credit_note.credited_pence -= amounts.applied_pence
    if credit_note.outstanding_pence == 0:
        note_settled(credit_note, on=application.applied_on)
    facts.append(fact(credit_note, "applied", detail=_detail(application)))
    await record(session, *facts, by=by, at=at)
    return application


async def refund_application(
    session: AsyncSession,
    application_id: UUID,
    *,
    reason: RefundReason,
    refunded_on: date,
    note: str,
    by: Actor,
    at: datetime,
) -> CreditNoteApplication:
    """Record that the supplier gave the money back, or what became of it otherwise; once."""
    credit_note_id = (await get_row(session, CreditNoteApplication, application_id)).credit_note_id
    credit_note = await lock_row(session, Invoice, credit_note_id)
    application = await lock_row(session, CreditNoteApplication, application_id)
    application.status = move(rules.NEXT, application.status, ApplicationStatus.REFUNDED, thing="The application")
    not_too_early("refunded_on", refunded_on, credit_note.received_on, before="the credit note was received")
    not_in_future("refunded_on", refunded_on, today=london_date(at))
    application.refunded_on, application.refund_reason = refunded_on, reason
    refunded = fact(
        credit_note,
        "refunded",
        CreditNoteRefundedV1,
        reason=reason.value,
        detail=_detail(application) | {"note": note},
        credit_note_application_id=application.id,
        refunded_on=refunded_on,
        refunded_pence=application.due_back_pence,
    )
    own = fact(application, "refunded", reason=reason.value, detail={"note": note})
    await record(session, refunded, own, by=by, at=at)
    return application


async def set_against_again(session: AsyncSession, invoice: Invoice) -> list[Fact]:
    """A payment of a (locked) invoice came back: credits given after it take off what is owed again.

    Nothing is to come from the supplier for them; where it gave the money back before, that stands, and the part of
    the rebate that went with it came back with the payment. The facts to be recorded.
    """
    facts = []
    for application in await store.lock_due(session, invoice.id):
        restored = application.due_back_pence + application.deducted_pence
        if invoice.outstanding_pence < restored:
            continue
        invoice.paid_pence += application.due_back_pence
        invoice.deducted_pence += application.deducted_pence
        application.status = move(rules.NEXT, application.status, ApplicationStatus.APPLIED, thing="The application")
        application.after_payment, application.due_back_pence, application.deducted_pence = False, 0, 0
        facts.append(fact(application, "applied", reason="payment_returned"))
    invoice.deducted_pence = max(0, invoice.deducted_pence)
    return facts


def _check_note(credit_note: Invoice) -> None:
    if credit_note.kind != InvoiceKind.CREDIT_NOTE:
        raise rules.NotACreditNote("This is an invoice, not a credit note.")
    usable = credit_note.status in (InvoiceStatus.RECEIVED, InvoiceStatus.APPROVED)
    if not usable or not credit_note.outstanding_pence:
        raise rules.CreditNoteNotUsable(
            f"The credit note is {credit_note.status}.",
            current=credit_note.status,
            hold_reasons=credit_note.hold_reasons,
        )


def _check_invoice(invoice: Invoice, credit_note: Invoice) -> None:
    if invoice.kind != InvoiceKind.INVOICE:
        raise rules.CreditNotApplicable("A credit note is set against an invoice, not against a credit note.")
    if invoice.supplier_id != credit_note.supplier_id:
        raise rules.CreditNotApplicable("The invoice is another supplier's.")
    if invoice.status in ENDED:
        raise rules.CreditNotApplicable(f"The invoice is {invoice.status}.", current=invoice.status)


def _application(
    credit_note: Invoice,
    invoice: Invoice | None,
    amounts: Amounts,
    shares: list[VatShare],
    *,
    note: str,
    by: Actor,
    at: datetime,
) -> CreditNoteApplication:
    return CreditNoteApplication(
        **amounts._asdict(),
        id=new_id(),
        version=0,
        credit_note_id=credit_note.id,
        invoice_id=invoice.id if invoice else None,
        supplier_id=credit_note.supplier_id,
        vat_shares=written_shares(shares),
        status=ApplicationStatus.REFUND_DUE if amounts.due_back_pence else ApplicationStatus.APPLIED,
        note=note,
        applied_on=london_date(at),
        applied_by=by.subject,
        applied_by_name=by.name,
        applied_at=at,
    )


def _against(invoice: Invoice, application: CreditNoteApplication, shares: list[VatShare]) -> Fact:
    """What an application takes off its invoice. After payment it takes the place of the money to be given back."""
    was_settled = invoice.is_settled
    invoice.credited_pence += application.applied_pence
    invoice.paid_pence -= application.due_back_pence
    invoice.deducted_pence -= application.deducted_pence
    if invoice.outstanding_pence == 0 and not was_settled:
        note_settled(invoice, on=application.applied_on)
    return fact(
        invoice,
        "credited",
        CreditNoteAppliedV1,
        detail=_detail(application),
        credit_note_application_id=application.id,
        credit_note_id=application.credit_note_id,
        applied_on=application.applied_on,
        applied_pence=application.applied_pence,
        vat_shares=shares,
        after_payment=application.after_payment,
        due_back_pence=application.due_back_pence,
        deducted_pence=application.deducted_pence,
        settled=invoice.is_settled,
    )


def _detail(application: CreditNoteApplication) -> dict[str, object]:
    return {"credit_note_application_id": str(application.id), "applied_pence": application.applied_pence}
