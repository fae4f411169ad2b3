"""One batch, one transaction: invoices, holds, events, refused lines and progress, together or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from council_common.database.sessions import Sessions, driver
from council_common.events.outbox import OUTBOX_COLUMNS
from council_common.imports import Problem
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.bulk_ids import ordered_ids
from invoice_service.invoice_imports import finding, store
from invoice_service.invoice_imports.assembling import COLUMNS, HELD_COLUMNS, HOLD_COLUMNS, NewInvoice, Told, assemble
from invoice_service.invoice_imports.drafts import Draft
from invoice_service.invoice_imports.file_reading import FileReading, Prepared
from invoice_service.invoice_imports.rules import RefusedLine
from invoice_service.invoice_imports.suppliers_of_lines import LineSupplier
from invoice_service.invoices.rules import content_hash
from invoice_service.suppliers import store as suppliers
from invoice_service.suppliers.rules import ENDED, hold_reasons

_REFUSED_COLUMNS = ("id", "import_id", "line_number", "field", "code", "problem", "expected", "raw")
_RACES = 5

_UNKNOWN = Problem(
    "supplier_reference", "unknown-supplier", "nobody knows this supplier", "a supplier that is registered"
)
_CLOSED = Problem(
    "supplier_reference", "supplier-closed", "the supplier was merged or closed", "the supplier that took its place"
)
_TAKEN = Problem(
    "reference",
    "invoice-source-reference-taken",
    "the reference names an invoice with other content",
    "a reference of its own, or the content as it was sent before",
)


@dataclass(slots=True)
class _Sorted:
    """A batch's lines by what becomes of them."""

    new: list[NewInvoice] = field(default_factory=list)
    existing: int = 0
    net_pence: int = 0
    refused: list[RefusedLine] = field(default_factory=list)
    refused_pence: int = 0


class Storing:
    """Stores the batches of one import."""

    def __init__(self, sessions: Sessions, reading: FileReading, told: Told) -> None:
        self._sessions = sessions
        self._reading = reading
        self._told = told

    async def store(
        self, prepared: Prepared, known: dict[str, LineSupplier], *, after_line: int, now: datetime
    ) -> bool:
        """Store one batch; False when the import does not run any more (cancelled, or stored by another worker).

        A single invoice that took one of the batch's references or numbers meanwhile makes it begin again.
        """
        for _ in range(_RACES):
            try:
                return await self._store(prepared, known, after_line=after_line, now=now)
            except asyncpg.UniqueViolationError:
                continue
        return await self._store(prepared, known, after_line=after_line, now=now)

    async def _store(
        self, prepared: Prepared, known: dict[str, LineSupplier], *, after_line: int, now: datetime
    ) -> bool:
        milliseconds = int(now.timestamp() * 1000)
        async with self._sessions() as session:
            connection = await driver(session)
            sorted_ = await self._sort(session, connection, prepared.drafts, known)
            ids = ordered_ids(len(sorted_.new), milliseconds=milliseconds)
            duplicates = await _duplicates(connection, sorted_.new, ids)
            rows = await asyncio.to_thread(
                assemble, sorted_.new, self._told, ids=ids, duplicates=duplicates, milliseconds=milliseconds
            )
            await _copy(connection, "invoice", rows.invoices, COLUMNS)
            await _copy(connection, "invoice", rows.held, (*COLUMNS, *HELD_COLUMNS))
            await _copy(connection, "invoice_hold", rows.holds, HOLD_COLUMNS)
            await _copy(connection, "outbox", rows.outbox, OUTBOX_COLUMNS)
            refused = [*prepared.refused, *sorted_.refused]
            await _copy(connection, "refused_line", self._refused_rows(refused, milliseconds), _REFUSED_COLUMNS)
            goes_on = await store.advance(
                connection,
                self._told.import_id,
                prepared.last_line,
                prepared.bytes_read,
                len(sorted_.new),
                sorted_.existing,
                len(refused),
                prepared.skipped,
                sorted_.net_pence,
                prepared.refused_pence + sorted_.refused_pence,
                prepared.total_pence,
                prepared.total_agrees,
                after_line,
            )
            await (session.commit() if goes_on else session.rollback())
            return goes_on

    async def _sort(
        self, session: AsyncSession, connection: Any, drafts: Sequence[Draft], known: dict[str, LineSupplier]
    ) -> _Sorted:
        """Which lines are new, which were there, which cannot be."""
        sorted_ = _Sorted()
        good = []
        for draft in drafts:
            supplier = known.get(draft.supplier_reference)
            if supplier is None:
                self._refuse(sorted_, draft, _UNKNOWN)
            elif supplier.status in ENDED and draft.paid_on is None:
                self._refuse(sorted_, draft, _CLOSED)
            else:
                good.append(draft)
        if not good:
            return sorted_
        system = self._told.source_system
        if good[0].line_key is not None:
            references, there = await finding.told_apart(connection, self._told.import_id, system, good)
        else:
            references = [draft.reference for draft in good]
            there = await finding.existing(connection, system, references)
        holds = await self._holds(session, good, known)
        hashes = {reference: bytes(row["content_hash"]) for reference, row in there.items()}
        for draft, reference in zip(good, references, strict=True):
            supplier = known[draft.supplier_reference]
            said = _content_of(draft, supplier)
            before = hashes.get(reference)
            if before is None:
                hashes[reference] = said
                reasons = holds.get(supplier.supplier_id, ()) if draft.paid_on is None else ()
                sorted_.new.append(
                    NewInvoice(
                        draft, reference, supplier.supplier_id, supplier.text, supplier.terms_days, said, reasons
                    )
                )
            elif before == said:
                sorted_.existing += 1
            else:
                self._refuse(sorted_, draft, _TAKEN)
                continue
            sorted_.net_pence += draft.net_pence
        return sorted_

    async def _holds(
        self, session: AsyncSession, drafts: Sequence[Draft], known: dict[str, LineSupplier]
    ) -> dict[UUID, tuple[str, ...]]:
        """Why suppliers of unpaid invoices may not be paid; they stay so until we commit."""
        ids = {known[draft.supplier_reference].supplier_id for draft in drafts if draft.paid_on is None}
        if not ids:
            return {}
        rows = await suppliers.share(session, list(ids))
        return {
            supplier_id: tuple(reasons)
            for supplier_id, row in rows.items()
            if (reasons := hold_reasons(row["status"], row["open_changes"]))
        }

    def _refuse(self, sorted_: _Sorted, draft: Draft, problem: Problem) -> None:
        sorted_.refused.append(self._reading.refused_line(draft.line_number, (problem,), draft.cells))
        sorted_.refused_pence += draft.net_pence

    def _refused_rows(self, refused: Sequence[RefusedLine], milliseconds: int) -> list[tuple[Any, ...]]:
        ids = ordered_ids(len(refused), milliseconds=milliseconds)
        return [
            (line_id, self._told.import_id, one.line_number, one.field, one.code, one.problem, one.expected, one.raw)
            for line_id, one in zip(ids, refused, strict=True)
        ]


def _content_of(draft: Draft, supplier: LineSupplier) -> bytes:
    if draft.line_key is not None:
        return bytes.fromhex(draft.line_key)
    return content_hash(supplier.text, draft.content)


async def _duplicates(connection: Any, new: Sequence[NewInvoice], ids: Sequence[UUID]) -> dict[int, UUID]:
    """Rule D1 for the unpaid ones, by their place: the same supplier and number, stored before or earlier here."""
    if not new or new[0].draft.line_key is not None:
        return {}
    known = await finding.first_with_number(
        connection,
        [each.supplier_text for each in new],
        [each.draft.number_key for each in new],
        [each.draft.kind for each in new],
    )
    first: dict[str, UUID] = {}
    duplicates = {}
    for place, each in enumerate(new):
        identity = f"{each.supplier_text}{each.draft.kind}{each.draft.number_key}"
        mine = ids[place]
        other = known.get(place) or first.setdefault(identity, mine)
        if other is not mine and each.draft.paid_on is None:
            duplicates[place] = other
    return duplicates


async def _copy(connection: Any, table: str, rows: Sequence[Any], columns: Sequence[str]) -> None:
    if rows:
        await connection.copy_records_to_table(table, records=rows, columns=columns)
