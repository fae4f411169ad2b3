"""Imports over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from council_common.clock import london_date
from council_common.database.rows import get_row
from council_common.fields import NoteIn
from council_common.identity.actor import Actor
from council_common.service.api import UPLOAD_LIMIT, resource_router
from council_common.web.acts import Act, acting
from council_common.web.dependencies import Now, RuntimeDep, SessionDep, requires
from council_common.web.idempotency import IdempotencyKey
from council_common.web.keyset import Page
from council_common.web.preconditions import etag
from council_common.web.resource_routes import reading_routes
from council_common.web.source_systems import Speaker
from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.intake.invoice_imports.lists import ImportList, RefusalQuery
from invoice_service.intake.invoice_imports.previewing import preview_file
from invoice_service.intake.invoice_imports.refused_file import check_format, refused_lines
from invoice_service.intake.invoice_imports.rules import FileFormat, UnknownSuppliers, may_import
from invoice_service.intake.invoice_imports.schemas import AnswerIn, ImportOut, ImportQuery, PreviewOut, RefusalOut
from invoice_service.intake.invoice_imports.tables import InvoiceImport
from invoice_service.intake.invoice_imports.upload import receive_file
from invoice_service.intake.invoice_imports.usecases import (
    answer_doubts,
    cancel_import,
    receipt_of,
    resume_import,
    saved_readings,
    with_work,
)

router = resource_router("invoice-imports")

_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file as it is, up to 256 MiB.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


async def _shown(session: AsyncSession, imports: Sequence[Any]) -> list[ImportOut]:
    return [ImportOut.of(import_, work) for import_, work in await with_work(session, imports)]


@router.post("", status_code=202, max_body_size=UPLOAD_LIMIT, openapi_extra=_BODY)
async def receive(
    *,
    request: Request,
    response: Response,
    query: Annotated[ImportQuery, Query()],
    session: SessionDep,
    runtime: RuntimeDep,
    now: Now,
    by: Annotated[Actor, requires("invoices:write")],
    key: IdempotencyKey = None,
) -> ImportOut:
    """Send a file of invoices as the request's body; it is imported line by line, progress under its `location`.

    Sending a file again adds nothing: its lines are counted as existing. Lines that cannot be accepted are kept
    with their reasons, to be downloaded, corrected and sent again. With `unknown_suppliers=register` the caller
    needs `suppliers:write` as well.
    """
    sources = Speaker(runtime, by, now)
    await sources.may_use(query.source_system, field="source_system")
    if query.unknown_suppliers is UnknownSuppliers.REGISTER and query.supplier_system is not None:
        await sources.may_use(query.supplier_system, field="supplier_system")
    may_import(by, query.unknown_suppliers)
    import_, is_new = await receive_file(session, query.new_import(), request.stream(), by=by, at=now, request_key=key)
    response.headers["location"] = f"{router.prefix}/{import_.id}"
    response.headers["etag"] = etag(import_.version)
    if not is_new:
        response.headers["idempotency-replayed"] = "true"
    [shown] = await _shown(session, [import_])
    return shown


@router.post("/previews", status_code=200, max_body_size=UPLOAD_LIMIT, openapi_extra=_BODY)
async def preview(
    *,
    request: Request,
    query: Annotated[ImportQuery, Query()],
    runtime: RuntimeDep,
    now: Now,
    _: Annotated[Actor, requires("invoices:write")],
) -> PreviewOut:
    """See how a file would be read: its header, columns, dates and amounts, the first records, totals and every doubt.

    It takes what an import takes and stores nothing; the answer to a doubt is a mapping, for another preview or for the
    import. Saved readings of the source system are used as an import uses them.
    """
    new = query.new_import()
    async with runtime.sessions() as session:  # given back before the file comes, however slowly
        saved = await saved_readings(session, new.source_system, new.profile)
    previewed = await preview_file(new, request.stream(), saved=saved, today=london_date(now))
    return PreviewOut.of(previewed, new.profile)


reading_routes(
    router,
    ImportList,
    ImportOut,
    of=InvoiceImport,
    scope="invoices:read",
    show=_shown,
    first_change=receipt_of,
)


@router.get("/{invoice_import_id}/refusals")
async def list_refusals(
    invoice_import_id: UUID,
    session: SessionDep,
    query: Annotated[RefusalQuery, Query()],
    _: Annotated[Actor, requires("invoices:read")],
) -> Page[RefusalOut]:
    """The refused lines of an import, by line number."""
    await get_row(session, InvoiceImport, invoice_import_id)
    refusals, following = await query.page(session, invoice_import_id)
    return Page(items=[RefusalOut.model_validate(row) for row in refusals], next=following)


@router.get("/{invoice_import_id}/refusals.csv", response_class=StreamingResponse)
async def download_csv(
    invoice_import_id: UUID, runtime: RuntimeDep, session: SessionDep, _: Annotated[Actor, requires("invoices:read")]
) -> StreamingResponse:
    """The refused lines of a CSV or Excel file as CSV: correct them in place and send the file again."""
    return await _download(
        invoice_import_id, runtime, session, wanted=FileFormat.CSV, media_type="text/csv; charset=utf-8"
    )


@router.get("/{invoice_import_id}/refusals.ndjson", response_class=StreamingResponse)
async def download_ndjson(
    invoice_import_id: UUID, runtime: RuntimeDep, session: SessionDep, _: Annotated[Actor, requires("invoices:read")]
) -> StreamingResponse:
    """The refused lines of an NDJSON file: correct them in place and send the file again."""
    return await _download(
        invoice_import_id, runtime, session, wanted=FileFormat.NDJSON, media_type="application/x-ndjson"
    )


@router.post("/{invoice_import_id}/cancellations", status_code=201)
async def cancel(
    invoice_import_id: UUID, cancellation: NoteIn, act: Annotated[Act, acting("invoices:write")]
) -> ImportOut:
    """Stop an import after the batch under way. What it has stored stays; sending the file again goes on from there."""
    import_, work = await cancel_import(act.session, invoice_import_id, note=cancellation.note, by=act.by, at=act.at)
    act.answers(f"{router.prefix}/{import_.id}", import_.version)
    return ImportOut.of(import_, work)


@router.post("/{invoice_import_id}/resumptions", status_code=202)
async def resume(
    invoice_import_id: UUID, resumption: NoteIn, act: Annotated[Act, acting("invoices:write")]
) -> ImportOut:
    """Have an import that broke several times go on behind its last stored line, once the cause is put right."""
    import_, work = await resume_import(act.session, invoice_import_id, note=resumption.note, by=act.by, at=act.at)
    act.answers(f"{router.prefix}/{import_.id}", import_.version)
    return ImportOut.of(import_, work)


@router.post("/{invoice_import_id}/answers", status_code=202)
async def answer(invoice_import_id: UUID, answer: AnswerIn, act: Annotated[Act, acting("invoices:write")]) -> ImportOut:
    """Answer what an import in doubt asks: it begins with its mapping, changed by this one."""
    import_, work = await answer_doubts(
        act.session, invoice_import_id, answer.mapping, note=answer.note, by=act.by, at=act.at
    )
    act.answers(f"{router.prefix}/{import_.id}", import_.version)
    return ImportOut.of(import_, work)


async def _download(
    invoice_import_id: UUID, runtime: RuntimeDep, session: SessionDep, *, wanted: FileFormat, media_type: str
) -> StreamingResponse:
    import_ = await get_row(session, InvoiceImport, invoice_import_id)
    check_format(import_, wanted=wanted)
    return StreamingResponse(
        refused_lines(runtime.sessions, import_),
        media_type=media_type,
        headers={"content-disposition": f'attachment; filename="refused-{invoice_import_id}.{wanted}"'},
    )
