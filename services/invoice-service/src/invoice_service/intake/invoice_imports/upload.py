"""Receiving a file: spooled to disk as fast as its sender is, then into the database; never as a whole in memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any
from uuid import UUID

from council_common.errors import FieldError
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.service.jobs import wake_job
from council_common.web.idempotency import KeyReused
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.intake.invoice_imports import store
from invoice_service.intake.invoice_imports.mappings import ColumnMapping
from invoice_service.intake.invoice_imports.processing import PROCESS_IMPORTS
from invoice_service.intake.invoice_imports.rules import EmptyUpload, Format, Profile, Status, UnknownSuppliers
from invoice_service.intake.invoice_imports.tables import InvoiceImport

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
    with tempfile.SpooledTemporaryFile(max_size=CHUNK_BYTES) as spool:
        # Read to its end before the first statement: a slow sender must not hold a connection.
        sha256, size = await _spooled(body, spool)
        sent = {"sha256": sha256, "bytes": size}
        if not await _insert(session, import_id, told, sent, by=by, at=at, request_key=request_key):
            return await _replayed(session, told, sha256, by=by, request_key=str(request_key)), False
        for number in range(-(-size // CHUNK_BYTES)):
            await store.add_chunk(session, import_id, number, spool.read(CHUNK_BYTES))
    await wake_job(session, PROCESS_IMPORTS)
    return await store.get_import(session, import_id), True


async def _spooled(body: AsyncIterator[bytes], spool: IO[bytes]) -> tuple[str, int]:
    """The body's SHA-256 and length; the spool is at its start again. Raises EmptyUpload."""
    digest, size = hashlib.sha256(), 0
    async for piece in body:
        digest.update(piece)
        size += len(piece)
        spool.write(piece)
    if not size:
        raise EmptyUpload("The request has no body.", errors=[FieldError("body", "it is empty", "the file as it is")])
    spool.seek(0)
    return digest.hexdigest(), size


async def _insert(
    session: AsyncSession,
    import_id: UUID,
    told: NewImport,
    sent: dict[str, Any],
    *,
    by: Actor,
    at: datetime,
    request_key: str | None,
) -> bool:
    """False when the caller used this key before; one that is being used right now is waited for."""
    stored = await session.execute(
        insert(InvoiceImport)
        .values(
            **told.values(),
            **sent,
            id=import_id,
            status=Status.QUEUED,
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
    session: AsyncSession, told: NewImport, sha256: str, *, by: Actor, request_key: str
) -> InvoiceImport:
    before = await store.by_request_key(session, by.subject, request_key)
    said = {**told.values(), "sha256": sha256}
    if before is None or any(getattr(before, name) != value for name, value in said.items()):
        raise KeyReused("This Idempotency-Key was used before with another file or parameter; choose a new key.")
    return before
