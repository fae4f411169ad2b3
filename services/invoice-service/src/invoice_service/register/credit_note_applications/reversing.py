"""Taking back a credit note that was set against the wrong invoice, or by the wrong amount."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.invoices import CreditNoteApplicationReversedV1, InvoiceHeldV1
from council_common.database.rows import get_row, lock_row
from council_common.errors import move
from council_common.identity.actor import Actor
from council_common.recording import Fact, fact, record
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.credit_note_applications import rules
from invoice_service.register.credit_note_applications.rules import ApplicationStatus, ReversalReason
from invoice_service.register.credit_note_applications.tables import CreditNoteApplication
from invoice_service.register.invoices.supplier_state import supplier_state_of
from invoice_service.register.invoices.tables import Invoice, InvoiceHold
from invoice_service.register.invoices.usecases import note_owed_again
from invoice_service.register.invoices.vat_shares import read_shares


async def reverse_application(
    session: AsyncSession, application_id: UUID, *, reason: ReversalReason, note: str, by: Actor, at: datetime
) -> CreditNoteApplication:
    """Take back an application, once; never by the person or system that received the note.

    The note is there to be applied again. The invoice owes so much again, as it was approved; one that is owed again
    waits where its supplier may not be paid. Raises IllegalMove, CreditAfterPayment, ApprovesOwnRequest.
    """
    found = await get_row(session, CreditNoteApplication, application_id)
    blocked = await supplier_state_of(session, found.supplier_id)
    ids = sorted({found.credit_note_id, found.invoice_id or found.credit_note_id})
    locked = {id_: await lock_row(session, Invoice, id_) for id_ in ids}
    application = await lock_row(session, CreditNoteApplication, application_id)
    credit_note = locked[application.credit_note_id]
    by.must_differ_from(credit_note.received_by, what="Taking back a credit note's application")
    application.status = move(rules.NEXT, application.status, ApplicationStatus.REVERSED, thing="The application")
    rules.check_reversal(after_payment=application.after_payment)
    application.reversed_on, application.reversal_reason = london_date(at), reason
    application.reversed_by, application.reversed_by_name = by.subject, by.name
    credit_note.credited_pence += application.applied_pence
    if credit_note.is_settled:
        note_owed_again(credit_note)
    trail = _trail(application) | {"note": note}
    facts = [
        fact(application, "reversed", reason=reason.value, detail={"note": note}),
        fact(credit_note, "application reversed", reason=reason.value, detail=trail),
    ]
    holds: list[InvoiceHold] = []
    if application.invoice_id is not None:
        invoice = locked[application.invoice_id]
        facts.append(_owed_again(invoice, application, reason, trail))
        holds = blocked.hold(invoice, by=by, at=at)
        if holds:
            facts.append(fact(invoice, "held", InvoiceHeldV1, detail={"reasons": [hold.reason for hold in holds]}))
    await record(session, *facts, also=holds, by=by, at=at)
    return application


def _owed_again(
    invoice: Invoice, application: CreditNoteApplication, reason: ReversalReason, trail: dict[str, object]
) -> Fact:
    invoice.credited_pence -= application.applied_pence
    if invoice.is_settled:
        note_owed_again(invoice)
    return fact(
        invoice,
        "credit reversed",
        CreditNoteApplicationReversedV1,
        reason=reason.value,
        detail=trail,
        credit_note_application_id=application.id,
        credit_note_id=application.credit_note_id,
        reversed_on=application.reversed_on,
        reversed_pence=application.applied_pence,
        vat_shares=read_shares(application.vat_shares),
    )


def _trail(application: CreditNoteApplication) -> dict[str, object]:
    return {"credit_note_application_id": str(application.id), "reversed_pence": application.applied_pence}
