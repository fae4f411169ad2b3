"""Invoices over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.csv_download import csv_download
from council_common.web.dependencies import Now, RuntimeDep, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery
from council_common.web.preconditions import etag
from fastapi import Depends, Response
from fastapi.responses import StreamingResponse

from invoice_service.idempotency_keys import ClaimDep
from invoice_service.register.invoices import store, usecases
from invoice_service.register.invoices.filters import InvoiceFilter
from invoice_service.register.invoices.receiving import SeenSuppliers, receive_at_once, receive_with_care
from invoice_service.register.invoices.schemas import CancellationIn, HoldIn, HoldOut, InvoiceIn, InvoiceOut, ReleaseIn
from invoice_service.register.invoices.tables import Invoice

router = resource_router("invoices")
seen = SeenSuppliers()

EXPORTED = (
    *("id", "kind", "supplier_id", "source_system", "source_reference", "number", "purchase_order_number"),
    *("issued_on", "received_on", "due_on", "net_pence", "vat_pence", "gross_pence", "paid_pence"),
    *("deducted_pence", "status", "hold_reasons", "approved_at", "paid_on", "historic", "import_id", "line_number"),
)


@router.post("", status_code=201, response_model=InvoiceOut, responses={200: {"model": InvoiceOut}})
async def receive(
    *,
    told: InvoiceIn,
    now: Now,
    runtime: RuntimeDep,
    claim: ClaimDep,
    by: Annotated[Actor, requires("invoices:write")],
) -> Response:
    """Receive one invoice or credit note. The same source reference with the same content answers 200.

    A number that the supplier used before is stored but held as a suspected duplicate (D1), and so is an
    invoice of a supplier that may not be paid.
    """
    invoice = told.new_invoice()
    receipt = await receive_at_once(runtime.engine, invoice, seen, by=by, at=now, claim=claim)
    if receipt is None:
        receipt = await receive_with_care(
            runtime.sessions, invoice, by=by, at=now, clients=runtime.clients, seen=seen, claim=claim
        )
    status = 201 if receipt.is_new else 200
    return Response(receipt.body, status_code=status, media_type="application/json", headers=receipt.headers)


@router.get("")
async def list_invoices(
    session: SessionDep,
    wanted: Annotated[InvoiceFilter, Depends()],
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("invoices:read")],
) -> Page[InvoiceOut]:
    """List invoices; sorts by received_on, issued_on, due_on, gross_pence, number or id."""
    invoices, following = await store.list_invoices(session, wanted.statement(), page)
    return Page(items=[InvoiceOut.of(invoice) for invoice in invoices], next=following)


@router.get("/export.csv", response_class=StreamingResponse, responses={200: {"content": {"text/csv": {}}}})
async def export_invoices(
    runtime: RuntimeDep,
    wanted: Annotated[InvoiceFilter, Depends()],
    _: Annotated[Actor, requires("invoices:read")],
) -> StreamingResponse:
    """The whole list, with the same filters, as CSV."""
    statement = wanted.statement().with_only_columns(*(getattr(Invoice, name) for name in EXPORTED))
    return csv_download(runtime.sessions, statement, Invoice.id, filename="invoices.csv")


@router.get("/{invoice_id}")
async def read(
    invoice_id: UUID, session: SessionDep, response: Response, _: Annotated[Actor, requires("invoices:read")]
) -> InvoiceOut:
    """One invoice."""
    invoice = await store.get_invoice(session, invoice_id)
    response.headers["etag"] = etag(invoice.version)
    return InvoiceOut.of(invoice)


@router.get("/{invoice_id}/history")
async def history(
    invoice_id: UUID, session: SessionDep, _: Annotated[Actor, requires("invoices:read")]
) -> list[ChangeOut]:
    """Every change of an invoice: who, when, why; oldest first."""
    return await usecases.invoice_history(session, invoice_id)


@router.post("/{invoice_id}/approvals", status_code=201, dependencies=[Idempotent])
async def approve(
    invoice_id: UUID,
    session: SessionDep,
    now: Now,
    response: Response,
    by: Annotated[Actor, requires("invoices:approve")],
) -> InvoiceOut:
    """Approve an invoice for payment; never by whoever received it, never while it is held."""
    invoice = await usecases.approve_invoice(session, invoice_id, by=by, at=now)
    response.headers["etag"] = etag(invoice.version)
    return InvoiceOut.of(invoice)


@router.get("/{invoice_id}/holds")
async def list_holds(
    invoice_id: UUID, session: SessionDep, _: Annotated[Actor, requires("invoices:read")]
) -> list[HoldOut]:
    """An invoice's holds, lifted ones among them; oldest first."""
    await store.get_invoice(session, invoice_id)
    return [HoldOut.of(hold) for hold in await store.holds_of(session, invoice_id)]


@router.post("/{invoice_id}/holds", status_code=201, dependencies=[Idempotent])
async def hold(
    invoice_id: UUID,
    told: HoldIn,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("invoices:write")],
) -> HoldOut:
    """Keep an invoice from being paid."""
    placed = await usecases.hold_invoice(
        session, invoice_id, reason=told.reason, note=told.note, on=told.placed_on, by=by, at=now
    )
    return HoldOut.of(placed)


@router.post("/{invoice_id}/holds/{hold_id}/releases", status_code=201, dependencies=[Idempotent])
async def release(
    *,
    invoice_id: UUID,
    hold_id: UUID,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("invoices:write")],
    told: ReleaseIn | None = None,
) -> HoldOut:
    """Lift a hold; with the last one the invoice goes back to where it was.

    The day on which a dispute ended is the one from which an invoice counts as valid: say it where it was earlier.
    """
    on = told.released_on if told is not None else None
    return HoldOut.of(await usecases.release_hold(session, invoice_id, hold_id, on=on, by=by, at=now))


@router.post("/{invoice_id}/cancellations", status_code=201, dependencies=[Idempotent])
async def cancel(
    invoice_id: UUID,
    told: CancellationIn,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("invoices:write")],
) -> InvoiceOut:
    """Decide that an invoice will not be paid."""
    invoice = await usecases.cancel_invoice(session, invoice_id, reason=told.reason, note=told.note, by=by, at=now)
    return InvoiceOut.of(invoice)
