"""Finding exceptions in payments, and resolving them; each is a fact about the invoice as well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from council_common.contracts.invoices import PaymentExceptionFoundV1, PaymentExceptionResolvedV1
from council_common.database.rows import get_row, lock_row
from council_common.errors import move
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import Fact, fact, record
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.paying.payment_exceptions import rules, store
from invoice_service.paying.payment_exceptions.rules import ExceptionKind, ExceptionStatus, Found, Resolution
from invoice_service.paying.payment_exceptions.tables import PaymentException
from invoice_service.register.invoices.tables import Invoice


def found_facts(
    invoice: Invoice, payment_id: UUID, found: Sequence[Found], *, remitted_on: date, by: Actor, at: datetime
) -> list[Fact]:
    """The exceptions of a new payment, as facts to be recorded with it: about the (locked) invoice and their own."""
    facts = []
    for kind, recover_pence, hold_reasons in found:
        row = PaymentException(
            id=new_id(),
            version=0,
            payment_id=payment_id,
            invoice_id=invoice.id,
            supplier_id=invoice.supplier_id,
            invoice_number=invoice.number,
            kind=kind,
            recover_pence=recover_pence,
            hold_reasons=list(hold_reasons),
            remitted_on=remitted_on,
            recorded_by=by.subject,
            found_at=at,
            status=ExceptionStatus.OPEN,
        )
        facts += [_found_fact(invoice, row), fact(row, "found", reason=kind.value)]
    return facts


def _found_fact(invoice: Invoice, found: PaymentException) -> Fact:
    return fact(
        invoice,
        "payment exception found",
        PaymentExceptionFoundV1,
        reason=found.kind.value,
        detail={"payment_id": str(found.payment_id), "payment_exception_id": str(found.id)},
        payment_exception_id=found.id,
        payment_id=found.payment_id,
        kind=found.kind.value,
        recover_pence=found.recover_pence,
        hold_reasons=found.hold_reasons,
    )


async def resolve_exception(
    session: AsyncSession,
    exception_id: UUID,
    *,
    resolution: Resolution,
    note: str,
    customer_id: UUID | None = None,
    by: Actor,
    at: datetime,
) -> PaymentException:
    """Resolve an exception and record how; by another person than the one who recorded the payment.

    `customer_id` is who is charged with the money to recover, where it becomes a receivable.

    Approving afterwards is an approval: whoever received the invoice does not. Raises IllegalMove, ApprovesOwnRequest.
    """
    found = await get_row(session, PaymentException, exception_id)
    # The invoice first, as everything that changes its payments locks it.
    invoice = await lock_row(session, Invoice, found.invoice_id)
    found = await lock_row(session, PaymentException, exception_id)
    rules.check_resolution(resolution, recover_pence=found.recover_pence)
    took_part = [found.recorded_by]
    if resolution is Resolution.APPROVED_AFTERWARDS:
        took_part.append(invoice.received_by)
    by.must_differ_from(*took_part, what="Resolving this exception")
    found.customer_id = customer_id
    facts = resolved_facts(invoice, found, resolution, note=note, by=by, at=at)
    await record(session, *facts, by=by, at=at)
    return found


async def resolve_open(
    session: AsyncSession,
    invoice: Invoice,
    payment_id: UUID,
    resolution: Resolution,
    *,
    kind: ExceptionKind | None = None,
    by: Actor,
    at: datetime,
) -> list[Fact]:
    """Resolve what is open of a payment (of a locked invoice) by what became of it; the facts to be recorded."""
    facts: list[Fact] = []
    for found in await store.lock_open(session, payment_id, kind=kind):
        facts += resolved_facts(invoice, found, resolution, note=None, by=by, at=at)
    return facts


async def left_with_supplier(session: AsyncSession, payment_id: UUID, kind: ExceptionKind) -> bool:
    """Whether the money of a payment's exception is with the supplier, and stays there if nothing else is done."""
    found = await store.lock_of_kind(session, payment_id, kind)
    return found is not None and found.resolution not in rules.NOT_WITH_SUPPLIER


async def settle_instead(
    session: AsyncSession, invoice: Invoice, payment_id: UUID, *, recover_pence: int, by: Actor, at: datetime
) -> list[Fact]:
    """A second payment settles a (locked) invoice: what of it is still to be recovered, if anything; the facts."""
    kind = ExceptionKind.PAID_TWICE
    if not recover_pence:
        return await resolve_open(session, invoice, payment_id, Resolution.SETTLES_INSTEAD, kind=kind, by=by, at=at)
    facts: list[Fact] = []
    for found in await store.lock_open(session, payment_id, kind=kind):
        found.recover_pence = recover_pence
        facts += [_found_fact(invoice, found), fact(found, "settles in part", reason=Resolution.SETTLES_INSTEAD)]
    return facts


def resolved_facts(
    invoice: Invoice, found: PaymentException, resolution: Resolution, *, note: str | None, by: Actor, at: datetime
) -> list[Fact]:
    """An exception resolved: the facts about its invoice and about itself. Raises IllegalMove."""
    found.status = move(rules.NEXT, found.status, ExceptionStatus.RESOLVED, thing="The payment exception")
    found.resolution, found.note = resolution, note
    found.resolved_by, found.resolved_by_name, found.resolved_at = by.subject, by.name, at
    detail = {"note": note} if note else {}
    of_invoice = fact(
        invoice,
        "payment exception resolved",
        PaymentExceptionResolvedV1,
        reason=resolution.value,
        detail=detail | {"payment_exception_id": str(found.id)},
        payment_exception_id=found.id,
        payment_id=found.payment_id,
        kind=found.kind.value,
        resolution=resolution.value,
        recover_pence=found.recover_pence,
        customer_id=found.customer_id,
    )
    return [of_invoice, fact(found, "resolved", reason=resolution.value, detail=detail)]
