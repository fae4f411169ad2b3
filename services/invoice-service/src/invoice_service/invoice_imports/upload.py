"""Receiving a file: piece by piece into the database, never as a whole in memory."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.service.jobs import wake_job
from council_common.web.idempotency import KeyReused
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.invoice_imports import store
from invoice_service.invoice_imports.mappings import ColumnMapping
from invoice_service.invoice_imports.processing import PROCESS_IMPORTS
from invoice_service.invoice_imports.rules import EmptyUpload, Format, Profile, Status, UnknownSuppliers
from invoice_service.invoice_imports.tables import InvoiceImport

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class NewImport:
    """What a file is, as its sender says."""

    filename: str
    format: Format
    profile: Profile
    source_system: str
    supplier_system: str
    unknown_suppliers: UnknownSuppliers
    mapping: ColumnMapping | None

    def values(self) -> dict[str, Any]:
        """The columns it is stored in."""
        return {
            "filename": self.filename,
            "format": self.format,
            "profile": self.profile,
            "source_system": self.source_system,
            "supplier_system": self.supplier_system,
            "unknown_suppliers": self.unknown_suppliers,
            "mapping": self.mapping.model_dump(mode="json", exclude_defaults=True) if self.mapping else None,
        }


async def receive_file(
    session: AsyncSession,
    told: NewImport,
    body: AsyncIterator[bytes],
    *,
    by: Actor,
    at: datetime,
    request_key: str | None,
) -> tuple[InvoiceImport, bool]:
    """Store a file and queue its import; the import and whether it is new.

    The same Idempotency-Key with the same file finds the import; with another one it is refused. The same file
    without a key is imported again, and adds nothing: its lines are there.
    """
    import_id = new_id()
    if not await _insert(session, import_id, told, by=by, at=at, request_key=request_key):
        return await _replayed(session, told, body, by=by, request_key=str(request_key)), False
    digest, size = hashlib.sha256(), 0
    number = 0
    async for chunk in _chunks(body):
        digest.update(chunk)
        size += len(chunk)
        await store.add_chunk(session, import_id, number, chunk)
        number += 1
    if not size:
        raise EmptyUpload("The request has no body; send the file as it is.")
    await session.execute(
        update(InvoiceImport).where(store.is_import(import_id)).values(sha256=digest.hexdigest(), bytes=size)
    )
    await wake_job(session, PROCESS_IMPORTS)
    return await store.get_import(session, import_id), True


async def _insert(
    session: AsyncSession, import_id: UUID, told: NewImport, *, by: Actor, at: datetime, request_key: str | None
) -> bool:
    """False when the caller used this key before; one that is being used right now is waited for."""
    stored = await session.execute(
        insert(InvoiceImport)
        .values(
            **told.values(),
            id=import_id,
            status=Status.QUEUED,
            sha256="",
            bytes=0,
            request_key=request_key,
            received_by=by.subject,
            received_by_name=by.name,
            received_at=at,
        )
        .on_conflict_do_nothing()
        .returning(store.IMPORT_ID)
    )
    return stored.scalar() is not None


async def _replayed(
    session: AsyncSession, told: NewImport, body: AsyncIterator[bytes], *, by: Actor, request_key: str
) -> InvoiceImport:
    before = await store.by_request_key(session, by.subject, request_key)
    digest = hashlib.sha256()
    async for chunk in body:
        digest.update(chunk)
    same = before is not None and before.sha256 == digest.hexdigest()
    if before is None or not same or any(getattr(before, name) != value for name, value in told.values().items()):
        raise KeyReused("This Idempotency-Key was used before with another file; choose a new key.")
    return before


async def _chunks(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body in pieces of a mebibyte, whatever the network made of it."""
    buffer = bytearray()
    async for piece in body:
        buffer += piece
        while len(buffer) >= CHUNK_BYTES:
            yield bytes(buffer[:CHUNK_BYTES])
            del buffer[:CHUNK_BYTES]
    if buffer:
        yield bytes(buffer)
