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
)
from council_common.database.history import ChangeOut, history_of, record_change
from council_common.errors import IllegalMove
from council_common.events.outbox import publish
from council_common.identity.actor import Actor
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.invoices import rules, store
from invoice_service.register.invoices.rules import CancelReason, HoldReason, InvoiceHeld, Status
from invoice_service.register.invoices.tables import Invoice, InvoiceHold
from invoice_service.register.suppliers.rules import BANK_ACCOUNT_CHANGE, SUPPLIER_HELD

_FOLLOW_SUPPLIER = (BANK_ACCOUNT_CHANGE, SUPPLIER_HELD)
# What whoever sent the invoice is looked at for is not for her to lift.
_LIFTED_BY_ANOTHER = (HoldReason.DUPLICATE_SUSPECTED, HoldReason.FRAUD_CHECK)


async def approve_invoice(session: AsyncSession, invoice_id: UUID, *, by: Actor, at: datetime) -> Invoice:
    """Approve for payment; by somebody else than who received it (platform.md, "Who may do what")."""
    invoice = await store.lock_invoice(session, invoice_id)
    by.must_differ_from(invoice.received_by, what="Approving an invoice")
    # A held or paid invoice goes back to approved, but not by being approved.
    if invoice.status == Status.HELD:
        raise InvoiceHeld("The invoice is held; release its holds first.", hold_reasons=invoice.hold_reasons)
    if invoice.status != Status.RECEIVED:
        raise IllegalMove("The invoice", invoice.status, Status.APPROVED, hold_reasons=invoice.hold_reasons)
    invoice.status = Status.APPROVED
    invoice.approved_by, invoice.approved_at = by.subject, at
    await record(session, invoice, "approved", by=by, at=at)
    await publish(
        session,
        InvoiceApprovedV1(**_about(invoice, by, at), gross_pence=invoice.gross_pence, due_on=invoice.due_on),
    )
    return invoice


async def hold_invoice(
    session: AsyncSession,
    invoice_id: UUID,
    *,
    reason: HoldReason,
    note: str | None,
    on: date | None,
    by: Actor,
    at: datetime,
) -> InvoiceHold:
    """Keep an invoice from being paid until the reason, which arose `on` a day (None: today), is gone.

    Raises HoldFollowsSupplier, HoldInPlace, IllegalMove and HoldMalformed.
    """
    if reason in _FOLLOW_SUPPLIER:
        raise rules.HoldFollowsSupplier("Invoices are held for this reason when their supplier is, not by hand.")
    invoice = await store.lock_invoice(session, invoice_id)
    if reason in invoice.hold_reasons:
        raise rules.HoldInPlace("The invoice is held for this reason already.", hold_reasons=invoice.hold_reasons)
    rules.move(Status(invoice.status), Status.HELD)
    rules.check_hold_day("placed_on", on, received_on=invoice.received_on, today=london_date(at))
    hold = InvoiceHold(
        id=new_id(),
        invoice_id=invoice.id,
        reason=reason,
        note=note,
        placed_by=by.subject,
        placed_on=on,
        placed_at=at,
    )
    session.add(hold)
    add_hold_reason(invoice, reason)
    await record(session, invoice, "held", by=by, at=at, reason=reason, detail={"note": note} if note else None)
    await publish(session, InvoiceHeldV1(**_about(invoice, by, at), hold_reasons=invoice.hold_reasons))
    return hold


async def release_hold(
    session: AsyncSession, invoice_id: UUID, hold_id: UUID, *, on: date | None, by: Actor, at: datetime
) -> InvoiceHold:
    """Lift one reason that was gone `on` a day (None: today); with the last one the invoice goes back to where it was.

    Raises HoldReleased, HoldFollowsSupplier, ApprovesOwnRequest and HoldMalformed.
    """
    invoice = await store.lock_invoice(session, invoice_id)
    hold = await store.get_hold(session, invoice_id, hold_id)
    if hold.released_at is not None:
        raise rules.HoldReleased("This hold was lifted before.")
    if hold.reason in _FOLLOW_SUPPLIER:
        raise rules.HoldFollowsSupplier("This hold ends when the supplier is released or its bank change decided.")
    if hold.reason in _LIFTED_BY_ANOTHER:
        by.must_differ_from(invoice.received_by, what="Lifting this hold")
    rules.check_hold_day("released_on", on, received_on=invoice.received_on, today=london_date(at))
    hold.released_by, hold.released_on, hold.released_at = by.subject, on or london_date(at), at
    invoice.hold_reasons = [reason for reason in invoice.hold_reasons if reason != hold.reason]
    if not invoice.hold_reasons:
        invoice.status = rules.move(Status.HELD, Status(invoice.status_before_hold or Status.RECEIVED))
        invoice.status_before_hold = None
    detail = {"released_on": str(hold.released_on)}
    await record(session, invoice, "released", by=by, at=at, reason=hold.reason, detail=detail)
    if invoice.hold_reasons:
        await publish(session, InvoiceHeldV1(**_about(invoice, by, at), hold_reasons=invoice.hold_reasons))
    else:
        await publish(session, InvoiceReleasedV1(**_about(invoice, by, at)))
    return hold


async def cancel_invoice(
    session: AsyncSession, invoice_id: UUID, *, reason: CancelReason, note: str | None, by: Actor, at: datetime
) -> Invoice:
    """Decide that an invoice will not be paid; not once some of it is."""
    invoice = await store.lock_invoice(session, invoice_id)
    cancelled = rules.move(Status(invoice.status), Status.CANCELLED)
    if invoice.paid_pence or invoice.deducted_pence:
        raise rules.PartPaid("Some of this invoice is paid; have the payment returned first.")
    for hold in await store.holds_of(session, invoice_id, open_only=True):
        hold.released_by, hold.released_on, hold.released_at = by.subject, london_date(at), at
    invoice.status, invoice.status_before_hold, invoice.hold_reasons = cancelled, None, []
    await record(session, invoice, "cancelled", by=by, at=at, reason=reason, detail={"note": note} if note else None)
    await publish(session, InvoiceCancelledV1(**_about(invoice, by, at), reason=reason.value))
    return invoice


async def invoice_history(session: AsyncSession, invoice_id: UUID) -> list[ChangeOut]:
    """Every change, its receipt first. The receipt is not stored twice: the invoice says who sent it and when."""
    invoice = await store.get_invoice(session, invoice_id)
    detail: dict[str, Any] = {"source_system": invoice.source_system}
    if invoice.import_id is not None:
        detail |= {"import_id": str(invoice.import_id), "line_number": invoice.line_number}
    received = ChangeOut(
        version=1,
        at=invoice.received_at,
        by=invoice.received_by,
        by_name=invoice.received_by_name,
        action="received",
        reason=None,
        detail=detail,
    )
    return [received, *await history_of(session, invoice_id)]


def add_hold_reason(invoice: Invoice, reason: str) -> None:
    """Note a reason on the invoice itself, and where it goes back to."""
    invoice.status_before_hold = invoice.status_before_hold or invoice.status
    invoice.status = Status.HELD
    invoice.hold_reasons = [*invoice.hold_reasons, str(reason)]


def _about(invoice: Invoice, by: Actor, at: datetime) -> dict[str, Any]:
    return {
        "invoice_id": invoice.id,
        "supplier_id": invoice.supplier_id,
        "version": invoice.version,
        "occurred_at": at,
        "by": by.subject,
    }


async def record(
    session: AsyncSession,
    invoice: Invoice,
    action: str,
    *,
    by: Actor,
    at: datetime,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """The next version of an invoice, and its line in the history."""
    invoice.version += 1
    await session.flush()
    await record_change(
        session,
        entity="invoice",
        entity_id=invoice.id,
        version=invoice.version,
        action=action,
        by=by,
        at=at,
        reason=reason,
        detail=detail,
    )
