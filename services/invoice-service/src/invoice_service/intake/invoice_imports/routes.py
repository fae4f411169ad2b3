"""Imports over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut
from council_common.identity.actor import Actor
from council_common.service.api import UPLOAD_LIMIT, resource_router
from council_common.web.dependencies import Now, RuntimeDep, SessionDep, requires
from council_common.web.idempotency import IdempotencyKey, Idempotent
from council_common.web.pages import Page, PageQuery
from fastapi import Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from invoice_service.fields import TextQuery
from invoice_service.intake.invoice_imports import store
from invoice_service.intake.invoice_imports.refused_file import check_format, refused_lines
from invoice_service.intake.invoice_imports.rules import Format, Profile, Status, may_import
from invoice_service.intake.invoice_imports.schemas import ImportOut, ImportQuery, RefusalOut
from invoice_service.intake.invoice_imports.upload import receive_file
from invoice_service.intake.invoice_imports.usecases import cancel_import, import_history

router = resource_router("invoice-imports")

_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file as it is, up to 256 MiB.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", status_code=202, max_body_size=UPLOAD_LIMIT, openapi_extra=_BODY)
async def receive(
    *,
    request: Request,
    response: Response,
    asked: Annotated[ImportQuery, Depends()],
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("invoices:write")],
    key: IdempotencyKey = None,
) -> ImportOut:
    """Send a file of invoices as the request's body; it is imported line by line, progress under its `location`.

    Sending a file again adds nothing: its lines are counted as existing. Lines that cannot be accepted are kept
    with their reasons, to be downloaded, corrected and sent again. With `unknown_suppliers=register` the caller
    needs `suppliers:write` as well.
    """
    may_import(by, asked.unknown_suppliers)
    import_, is_new = await receive_file(session, asked.new_import(), request.stream(), by=by, at=now, request_key=key)
    response.headers["location"] = f"/v1/invoice-imports/{import_.id}"
    if not is_new:
        response.headers["idempotency-replayed"] = "true"
    return ImportOut.of(import_)


@router.get("")
async def list_imports(
    *,
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("invoices:read")],
    status: Status | None = None,
    profile: Profile | None = None,
    source_system: TextQuery = None,
    filename: TextQuery = None,
    sha256: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,
) -> Page[ImportOut]:
    """List imports; sorts by received_at, filename or id."""
    equal = {
        "status": status,
        "profile": profile,
        "source_system": source_system,
        "filename": filename,
        "sha256": sha256,
    }
    imports, following = await store.list_imports(session, page, equal=equal)
    return Page(items=[ImportOut.of(import_) for import_ in imports], next=following)


@router.get("/{import_id}")
async def read(import_id: UUID, session: SessionDep, _: Annotated[Actor, requires("invoices:read")]) -> ImportOut:
    """One import and how far it is."""
    return ImportOut.of(await store.get_import(session, import_id))


@router.get("/{import_id}/history")
async def history(
    import_id: UUID, session: SessionDep, _: Annotated[Actor, requires("invoices:read")]
) -> list[ChangeOut]:
    """Who sent an import, when, and how it ended; oldest first."""
    return await import_history(session, import_id)


@router.get("/{import_id}/refusals")
async def list_refusals(
    import_id: UUID,
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("invoices:read")],
) -> Page[RefusalOut]:
    """The refused lines of an import, by line number."""
    await store.get_import(session, import_id)
    refusals, following = await store.list_refusals(session, import_id, page)
    return Page(items=[RefusalOut.of(row) for row in refusals], next=following)


@router.get("/{import_id}/refusals.csv", response_class=StreamingResponse)
async def download_csv(
    import_id: UUID, runtime: RuntimeDep, session: SessionDep, _: Annotated[Actor, requires("invoices:read")]
) -> StreamingResponse:
    """The refused lines of a CSV or Excel file as CSV: correct them in place and send the file again."""
    return await _download(import_id, runtime, session, wanted=Format.CSV, media_type="text/csv; charset=utf-8")


@router.get("/{import_id}/refusals.ndjson", response_class=StreamingResponse)
async def download_ndjson(
    import_id: UUID, runtime: RuntimeDep, session: SessionDep, _: Annotated[Actor, requires("invoices:read")]
) -> StreamingResponse:
    """The refused lines of an NDJSON file: correct them in place and send the file again."""
    return await _download(import_id, runtime, session, wanted=Format.NDJSON, media_type="application/x-ndjson")


@router.post("/{import_id}/cancellations", status_code=201, dependencies=[Idempotent])
async def cancel(
    import_id: UUID, session: SessionDep, now: Now, by: Annotated[Actor, requires("invoices:write")]
) -> ImportOut:
    """Stop an import. What it has stored stays; sending the file again goes on from there."""
    return ImportOut.of(await cancel_import(session, import_id, by=by, at=now))


async def _download(
    import_id: UUID, runtime: RuntimeDep, session: SessionDep, *, wanted: Format, media_type: str
) -> StreamingResponse:
    import_ = await store.get_import(session, import_id)
    check_format(import_, wanted=wanted)
    filename = f"refused-{import_id}.{wanted}"
    return StreamingResponse(
        refused_lines(runtime.sessions, import_),
        media_type=media_type,
        headers={"content-disposition": f'attachment; filename="{filename}"'},
    )
