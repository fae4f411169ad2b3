"""What people do with an invoice between receipt and payment."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.invoices import (
    InvoiceApprovedV1,
    InvoiceCancelledV1,
    InvoiceHeldV1,
    InvoiceReleasedV1,
    InvoiceSettledV1,
)
from council_common.database.rows import lock_row
from council_common.errors import IllegalMove
from council_common.holds import ReleaseReason, must_stand
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import Fact, fact, record
from council_common.web.history import ChangeOut
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.invoices import rules, store
from invoice_service.register.invoices.rules import CancelReason, HoldReason, InvoiceHeld, InvoiceStatus, Release
from invoice_service.register.invoices.tables import Invoice, InvoiceHold
from invoice_service.register.suppliers.rules import BANK_ACCOUNT_CHANGE, SUPPLIER_HELD

_FOLLOW_SUPPLIER = (BANK_ACCOUNT_CHANGE, SUPPLIER_HELD)
# Who sent the invoice is the one these holds check: another person releases them.
_RELEASED_BY_ANOTHER = (HoldReason.DUPLICATE_SUSPECTED, HoldReason.FRAUD_CHECK)


async def approve_invoice(session: AsyncSession, invoice_id: UUID, *, by: Actor, at: datetime) -> Invoice:
    """Approve for payment; never by the person or system that received it. One of zero is settled with it."""
    invoice = await lock_row(session, Invoice, invoice_id)
    await record(session, *approved(invoice, by=by, at=at), by=by, at=at)
    return invoice


def approved(invoice: Invoice, *, by: Actor, at: datetime) -> list[Fact]:
    """A locked invoice approved; the facts to be recorded. Raises ApprovesOwnRequest, InvoiceHeld, IllegalMove."""
    by.must_differ_from(invoice.received_by, what="Approving an invoice")
    if invoice.amounts_settled_by is not None:
        by.must_differ_from(invoice.amounts_settled_by, what="Approving an invoice")
    # A held or paid invoice goes back to approved, but not by being approved.
    if invoice.status == InvoiceStatus.HELD:
        raise InvoiceHeld("The invoice is held; release its holds first.", hold_reasons=invoice.hold_reasons)
    if invoice.status != InvoiceStatus.RECEIVED:
        raise IllegalMove("The invoice", invoice.status, InvoiceStatus.APPROVED, hold_reasons=invoice.hold_reasons)
    invoice.status = InvoiceStatus.APPROVED
    invoice.approved_by, invoice.approved_by_name, invoice.approved_at = by.subject, by.name, at
    facts = [fact(invoice, "approved", InvoiceApprovedV1)]
    if invoice.outstanding_pence == 0:
        note_settled(invoice, on=london_date(at))
        facts.append(fact(invoice, "settled", InvoiceSettledV1, settled_on=invoice.paid_on))
    return facts


async def hold_invoice(
    session: AsyncSession,
    invoice_id: UUID,
    *,
    reason: HoldReason,
    note: str,
    on: date | None,
    by: Actor,
    at: datetime,
) -> tuple[InvoiceHold, int]:
    """Keep an invoice from being paid until the reason, which arose `on` a day (None: today), is gone.

    The hold, and the invoice's version with it.

    Raises HoldFollowsSupplier, HoldInPlace, IllegalMove, DateTooEarly and DateInFuture.
    """
    if reason in _FOLLOW_SUPPLIER:
        raise rules.HoldFollowsSupplier("Invoices are held for this reason when their supplier is, not by hand.")
    if reason is HoldReason.AMOUNTS_DISAGREE:
        raise rules.HoldFollowsAmounts("Invoices are held for this reason when they come in, not by hand.")
    invoice = await lock_row(session, Invoice, invoice_id)
    if reason in invoice.hold_reasons:
        raise rules.HoldInPlace("The invoice is held for this reason already.", hold_reasons=invoice.hold_reasons)
    rules.move(invoice.status, InvoiceStatus.HELD)
    rules.check_hold_day("placed_on", on, received_on=invoice.received_on, today=london_date(at))
    hold = InvoiceHold(
        id=new_id(),
        invoice_id=invoice.id,
        reason=reason,
        note=note,
        placed_by=by.subject,
        placed_by_name=by.name,
        placed_on=on,
        placed_at=at,
    )
    add_hold_reason(invoice, reason)
    held = fact(invoice, "held", InvoiceHeldV1, reason=reason, detail={"note": note})
    await record(session, held, also=[hold], by=by, at=at)
    return hold, invoice.version


async def release_hold(
    session: AsyncSession, invoice_id: UUID, hold_id: UUID, release: Release, *, by: Actor, at: datetime
) -> tuple[InvoiceHold, int]:
    """Release one hold; with the last one the invoice goes back to where it was.

    Raises HoldReleased, HoldFollowsSupplier, ApprovesOwnRequest, DateTooEarly and DateInFuture.
    """
    invoice = await lock_row(session, Invoice, invoice_id)
    hold = await store.get_hold(session, invoice_id, hold_id)
    must_stand(hold)
    if hold.reason in _FOLLOW_SUPPLIER:
        raise rules.HoldFollowsSupplier("This hold ends when the supplier is released or its bank change decided.")
    if hold.reason is HoldReason.AMOUNTS_DISAGREE:
        raise rules.HoldFollowsAmounts("This hold ends when the amounts are settled (amount-settlements).")
    if hold.reason in _RELEASED_BY_ANOTHER:
        by.must_differ_from(invoice.received_by, what="Releasing this hold")
    rules.check_hold_day("released_on", release.released_on, received_on=invoice.received_on, today=london_date(at))
    await record(session, end_hold(invoice, hold, release, by=by, at=at), also=[hold], by=by, at=at)
    return hold, invoice.version


def end_hold(invoice: Invoice, hold: InvoiceHold, release: Release, *, by: Actor, at: datetime) -> Fact:
    """A hold of a locked invoice released; the fact to be recorded, with the hold."""
    _release(hold, release, by=by, at=at)
    invoice.hold_reasons = [reason for reason in invoice.hold_reasons if reason != hold.reason]
    if not invoice.hold_reasons:
        invoice.status = rules.move(InvoiceStatus.HELD, invoice.status_before_hold or InvoiceStatus.RECEIVED)
        invoice.status_before_hold = None
    detail = {"released_on": str(hold.released_on), "reason": release.reason, "note": release.note}
    event = InvoiceHeldV1 if invoice.hold_reasons else InvoiceReleasedV1
    return fact(invoice, "released", event, reason=hold.reason, detail=detail)


async def cancel_invoice(
    session: AsyncSession, invoice_id: UUID, *, reason: CancelReason, note: str, by: Actor, at: datetime
) -> Invoice:
    """Decide that an invoice will not be paid; not once some of it is."""
    invoice = await lock_row(session, Invoice, invoice_id)
    cancelled = rules.move(invoice.status, InvoiceStatus.CANCELLED)
    if invoice.paid_pence or invoice.deducted_pence or invoice.credited_pence:
        raise rules.PartPaid("Some of this invoice is paid or credited; have the payment returned first.")
    holds = await store.holds_of(session, invoice_id, open_only=True)
    for hold in holds:
        _release(hold, Release(ReleaseReason.SUPERSEDED, "The invoice was cancelled."), by=by, at=at)
    invoice.status, invoice.status_before_hold, invoice.hold_reasons = cancelled, None, []
    gone = fact(invoice, "cancelled", InvoiceCancelledV1, reason=reason, detail={"note": note})
    await record(session, gone, also=holds, by=by, at=at)
    return invoice


def _release(hold: InvoiceHold, release: Release, *, by: Actor, at: datetime) -> None:
    hold.released_by, hold.released_by_name, hold.released_at = by.subject, by.name, at
    hold.released_on = release.released_on or london_date(at)
    hold.release_reason, hold.release_note = release.reason, release.note


def receipt_of(invoice: Invoice) -> ChangeOut:
    """The first line of an invoice's history. It is not stored twice: the invoice says who sent it and when."""
    detail: dict[str, Any] = {"source_system": invoice.source_system}
    if invoice.import_id is not None:
        detail |= {"import_id": str(invoice.import_id), "line_number": invoice.line_number}
    return ChangeOut(
        version=1,
        at=invoice.received_at,
        by=invoice.received_by,
        by_name=invoice.received_by_name,
        action="received",
        reason=None,
        detail=detail,
    )


def note_settled(invoice: Invoice, *, on: date) -> None:
    """Note that nothing is left to pay. A held one stays held until its reasons are gone, and is paid then."""
    if invoice.status == InvoiceStatus.HELD:
        invoice.status_before_hold = InvoiceStatus.PAID
    else:
        invoice.status = rules.move(invoice.status, InvoiceStatus.PAID)
    invoice.paid_on = on


def note_owed_again(invoice: Invoice) -> None:
    """Note that what had settled an invoice is gone: it goes back to approved, or to received where it never was."""
    before = InvoiceStatus.APPROVED if invoice.approved_at or invoice.historic else InvoiceStatus.RECEIVED
    if invoice.status == InvoiceStatus.HELD:
        invoice.status_before_hold = before
    else:
        invoice.status = rules.move(invoice.status, before)
    invoice.paid_on = None


def add_hold_reason(invoice: Invoice, reason: str) -> None:
    """Note a reason on the invoice itself, and where it goes back to."""
    invoice.status_before_hold = invoice.status_before_hold or invoice.status
    invoice.status = InvoiceStatus.HELD
    invoice.hold_reasons = [*invoice.hold_reasons, str(reason)]
