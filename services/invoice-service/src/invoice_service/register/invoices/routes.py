"""Invoices over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.rows import get_row
from council_common.identity.actor import Actor
from council_common.notes.routes import note_routes
from council_common.service.api import BULK_BODY_LIMIT, resource_router
from council_common.web.acts import Act, Submission, acting, acting_at_once, submitting
from council_common.web.bulk import BulkOut, read_items
from council_common.web.dependencies import RuntimeDep, SessionDep, requires
from council_common.web.keyset import Page
from council_common.web.resource_routes import reading_routes
from fastapi import Response

from invoice_service.register.invoices import store, usecases
from invoice_service.register.invoices.bulk_approving import approve_invoices
from invoice_service.register.invoices.bulk_receiving import receive_invoices
from invoice_service.register.invoices.lists import InvoiceList
from invoice_service.register.invoices.receiving import SeenSuppliers, receive_at_once, receive_with_care
from invoice_service.register.invoices.schemas import (
    AmountsIn,
    ApprovalIn,
    ApprovalsIn,
    CancellationIn,
    HoldIn,
    HoldOut,
    HoldReleaseIn,
    InvoiceIn,
    InvoiceOut,
    InvoicesIn,
)
from invoice_service.register.invoices.settling_amounts import SettledAmounts, settle_amounts
from invoice_service.register.invoices.tables import Invoice, InvoiceHold

router = resource_router("invoices")
seen = SeenSuppliers()


@router.post(
    "",
    status_code=201,
    response_model=InvoiceOut,
    responses={200: {"model": InvoiceOut}},
    max_body_size=BULK_BODY_LIMIT,
)
async def receive(invoice: InvoiceIn, sent: Annotated[Submission, submitting("invoices:write")]) -> Response:
    """Receive one invoice or credit note. The same source reference with the same content answers 200.

    A number that the supplier used before is stored but held as a suspected duplicate (D1), and so is an
    invoice of a supplier that may not be paid.
    """
    await sent.sources.may_use(invoice.source.system)
    new, runtime = invoice.new_invoice(), sent.runtime
    receipt = await receive_at_once(runtime.engine, new, seen, by=sent.by, at=sent.at, claim=sent.claim)
    if receipt is None:
        receipt = await receive_with_care(
            runtime.sessions, new, by=sent.by, at=sent.at, clients=runtime.clients, seen=seen, claim=sent.claim
        )
    status = 201 if receipt.is_new else 200
    return Response(receipt.body, status_code=status, media_type="application/json", headers=receipt.headers)


@router.post("/bulk", max_body_size=BULK_BODY_LIMIT)
async def receive_many(
    invoices: InvoicesIn, runtime: RuntimeDep, act: Annotated[Act, acting("invoices:write")]
) -> BulkOut:
    """Receive up to 5,000 invoices and credit notes by the rules of one; each item has its own verdict."""
    news, bad = invoices.new_invoices()
    own, others = await act.sources.own(news)
    received = await receive_invoices(act.session, own, by=act.by, at=act.at, clients=runtime.clients)
    return BulkOut.of([*received, *others, *bad])


@router.post("/approvals", max_body_size=BULK_BODY_LIMIT)
async def approve_many(approvals: ApprovalsIn, act: Annotated[Act, acting("invoices:approve")]) -> BulkOut:
    """Approve up to 5,000 invoices by the rules of one; each item has its own verdict, `done` or `refused`."""
    good, bad = read_items(ApprovalIn, approvals.items)
    wanted = [(index, approval.invoice_id) for index, approval in good]
    return BulkOut.of([*await approve_invoices(act.session, wanted, by=act.by, at=act.at), *bad])


reading_routes(router, InvoiceList, InvoiceOut, of=Invoice, scope="invoices:read", first_change=usecases.receipt_of)
note_routes(
    router,
    of=Invoice,
    read="invoices:read",
    write="invoices:write",
    first_change=usecases.receipt_of,
)


@router.post("/{invoice_id}/approvals", status_code=201)
async def approve(invoice_id: UUID, act: Annotated[Act, acting_at_once("invoices:approve")]) -> InvoiceOut:
    """Approve an invoice for payment; never by the person or system that received it, never while it is held."""
    return _answer(act, await usecases.approve_invoice(act.session, invoice_id, by=act.by, at=act.at))


@router.get("/{invoice_id}/holds")
async def list_holds(
    invoice_id: UUID, session: SessionDep, _: Annotated[Actor, requires("invoices:read")]
) -> Page[HoldOut]:
    """An invoice's holds, released ones among them; oldest first."""
    await get_row(session, Invoice, invoice_id)
    return Page(items=[HoldOut.of(hold) for hold in await store.holds_of(session, invoice_id)])


@router.post("/{invoice_id}/holds", status_code=201)
async def hold(invoice_id: UUID, hold: HoldIn, act: Annotated[Act, acting("invoices:write")]) -> HoldOut:
    """Keep an invoice from being paid."""
    placed, version = await usecases.hold_invoice(
        act.session, invoice_id, reason=hold.reason, note=hold.note, on=hold.placed_on, by=act.by, at=act.at
    )
    return _answer_hold(act, placed, version)


@router.post("/{invoice_id}/holds/{hold_id}/releases", status_code=201)
async def release(
    invoice_id: UUID, hold_id: UUID, release: HoldReleaseIn, act: Annotated[Act, acting("invoices:write")]
) -> HoldOut:
    """Release a hold; with the last one the invoice goes back to where it was.

    The day on which a dispute ended is the one from which an invoice counts as valid: say it where it was earlier.
    """
    released, version = await usecases.release_hold(
        act.session, invoice_id, hold_id, release.release(), by=act.by, at=act.at
    )
    return _answer_hold(act, released, version)


@router.post("/{invoice_id}/amount-settlements", status_code=201)
async def settle(invoice_id: UUID, amounts: AmountsIn, act: Annotated[Act, acting("invoices:write")]) -> InvoiceOut:
    """Say what an invoice comes to whose amounts did not add up; another person approves it."""
    settled = SettledAmounts(
        net_pence=amounts.net_pence,
        vat_pence=amounts.vat_pence,
        gross_pence=amounts.gross_pence,
        vat_rate=amounts.vat_rate,
    )
    invoice = await settle_amounts(act.session, invoice_id, settled, note=amounts.note, by=act.by, at=act.at)
    return _answer(act, invoice)


@router.post("/{invoice_id}/cancellations", status_code=201)
async def cancel(
    invoice_id: UUID, cancellation: CancellationIn, act: Annotated[Act, acting("invoices:write")]
) -> InvoiceOut:
    """Decide that an invoice will not be paid."""
    invoice = await usecases.cancel_invoice(
        act.session, invoice_id, reason=cancellation.reason, note=cancellation.note, by=act.by, at=act.at
    )
    return _answer(act, invoice)


def _answer(act: Act, invoice: Invoice) -> InvoiceOut:
    act.answers(f"{router.prefix}/{invoice.id}", invoice.version)
    return InvoiceOut.of(invoice)


def _answer_hold(act: Act, hold: InvoiceHold, version: int) -> HoldOut:
    """A hold belongs to its invoice, whose version the answer names."""
    act.answers(f"{router.prefix}/{hold.invoice_id}/holds/{hold.id}", version)
    return HoldOut.of(hold)
