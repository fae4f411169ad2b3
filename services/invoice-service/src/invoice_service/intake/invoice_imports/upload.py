"""Receiving a file: spooled to disk as fast as its sender is, then into the database; never as a whole in memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import IO, Any

from council_common.errors import FieldError
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.long_work.usecases import request_work
from council_common.web.idempotency import KeyReused
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.intake.invoice_imports import store
from invoice_service.intake.invoice_imports.importing import IMPORT_INVOICES
from invoice_service.intake.invoice_imports.rules import EmptyUpload, FileFormat, Profile, UnknownSuppliers
from invoice_service.intake.invoice_imports.tables import InvoiceImport

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class NewImport:
    """What a file is, by its sender. `mapping` is a ColumnMapping as JSON."""

    filename: str
    format: FileFormat
    profile: Profile
    source_system: str
    supplier_system: str
    unknown_suppliers: UnknownSuppliers
    mapping: dict[str, Any] | None


async def receive_file(
    session: AsyncSession,
    new: NewImport,
    body: AsyncIterator[bytes],
    *,
    by: Actor,
    at: datetime,
    request_key: str | None,
) -> tuple[InvoiceImport, bool]:
    """Store a file and have it imported; the import and whether it is new.

    The same Idempotency-Key with the same file finds the import; with another one it is refused. The same file
    without a key is imported again, and adds nothing: its lines are there.
    """
    with tempfile.SpooledTemporaryFile(max_size=CHUNK_BYTES) as spool:
        # Read to its end before the first statement: a slow sender must not hold a connection.
        sha256, size = await spooled(body, spool)
        import_ = InvoiceImport(
            **asdict(new),
            id=new_id(),
            sha256=sha256,
            bytes=size,
            request_key=request_key,
            received_by=by.subject,
            received_by_name=by.name,
            received_at=at,
        )
        if not await store.add_import(session, import_):
            return await _replayed(session, new, sha256, by=by, request_key=str(request_key)), False
        for number in range(-(-size // CHUNK_BYTES)):
            await store.add_chunk(session, import_.id, number, spool.read(CHUNK_BYTES))
    await request_work(session, IMPORT_INVOICES, import_.id, total=size, by=by, at=at)
    return import_, True


async def spooled(body: AsyncIterator[bytes], spool: IO[bytes]) -> tuple[str, int]:
    """The body's SHA-256 and length; the spool is at its start again. Raises EmptyUpload."""
    digest, size = hashlib.sha256(), 0
    async for piece in body:
        digest.update(piece)
        size += len(piece)
        spool.write(piece)
    if not size:
        raise EmptyUpload("The request has no body.", errors=[FieldError("body", "is empty", "the file as it is")])
    spool.seek(0)
    return digest.hexdigest(), size


async def _replayed(
    session: AsyncSession, new: NewImport, sha256: str, *, by: Actor, request_key: str
) -> InvoiceImport:
    before = await store.by_request_key(session, by.subject, request_key)
    sent = {**asdict(new), "sha256": sha256}
    if before is None or any(getattr(before, name) != value for name, value in sent.items()):
        raise KeyReused("This Idempotency-Key was used before with another file or parameter; choose a new key.")
    return before
