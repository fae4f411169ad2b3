"""Applications of credit notes over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.resource_routes import reading_routes

from invoice_service.register.credit_note_applications.lists import CreditNoteApplicationList
from invoice_service.register.credit_note_applications.reversing import reverse_application
from invoice_service.register.credit_note_applications.schemas import (
    CreditNoteApplicationIn,
    CreditNoteApplicationOut,
    RefundIn,
    ReversalIn,
)
from invoice_service.register.credit_note_applications.tables import CreditNoteApplication
from invoice_service.register.credit_note_applications.usecases import apply_credit_note, refund_application

router = resource_router("credit-note-applications")


@router.post("", status_code=201)
async def apply(
    application: CreditNoteApplicationIn, act: Annotated[Act, acting("invoices:approve")]
) -> CreditNoteApplicationOut:
    """Set a credit note against an invoice of its supplier, before it is paid or afterwards, or ask for a refund.

    Before payment less is owed, and the rebate is on the netted amount. Afterwards the supplier gives back its part of
    the money, and the rebate is reversed pro rata.
    """
    applied = await apply_credit_note(
        act.session,
        application.credit_note_id,
        application.invoice_id,
        applied_pence=application.applied_pence,
        note=application.note,
        by=act.by,
        at=act.at,
    )
    return _answer(act, applied)


reading_routes(
    router, CreditNoteApplicationList, CreditNoteApplicationOut, of=CreditNoteApplication, scope="invoices:read"
)


@router.post("/{credit_note_application_id}/refunds", status_code=201)
async def refund(
    credit_note_application_id: UUID, refund: RefundIn, act: Annotated[Act, acting("payments:write")]
) -> CreditNoteApplicationOut:
    """Record that the supplier gave the money back, or what became of it otherwise; once."""
    refunded = await refund_application(
        act.session,
        credit_note_application_id,
        reason=refund.reason,
        refunded_on=refund.refunded_on,
        note=refund.note,
        by=act.by,
        at=act.at,
    )
    return _answer(act, refunded)


@router.post("/{credit_note_application_id}/reversals", status_code=201)
async def reverse(
    credit_note_application_id: UUID, reversal: ReversalIn, act: Annotated[Act, acting("invoices:approve")]
) -> CreditNoteApplicationOut:
    """Take back an application that was a mistake, once: the invoice owes so much again, and the note can be used anew.

    One to an invoice that was paid before is taken back once that payment has come back.
    """
    reversed_ = await reverse_application(
        act.session, credit_note_application_id, reason=reversal.reason, note=reversal.note, by=act.by, at=act.at
    )
    return _answer(act, reversed_)


def _answer(act: Act, application: CreditNoteApplication) -> CreditNoteApplicationOut:
    act.answers(f"{router.prefix}/{application.id}", application.version)
    return CreditNoteApplicationOut.of(application)
