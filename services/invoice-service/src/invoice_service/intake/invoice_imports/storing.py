"""One batch, one transaction: invoices, holds, events, refused lines and progress, together or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from council_common.database.sessions import Sessions, driver
from council_common.events.outbox import OUTBOX_COLUMNS
from council_common.imports import Problem, Refusal
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.bulk_ids import ordered_ids
from invoice_service.intake.invoice_imports import finding, store
from invoice_service.intake.invoice_imports.assembling import (
    CHANGE_COLUMNS,
    COLUMNS,
    HELD_COLUMNS,
    HOLD_COLUMNS,
    NewInvoice,
    Told,
    assemble,
)
from invoice_service.intake.invoice_imports.drafts import Draft
from invoice_service.intake.invoice_imports.file_reading import FileReading, Prepared
from invoice_service.intake.invoice_imports.suppliers_of_lines import LineSupplier
from invoice_service.register.invoices.rules import content_hash
from invoice_service.register.suppliers import store as suppliers
from invoice_service.register.suppliers.rules import ENDED, hold_reasons

_REFUSED_COLUMNS = ("id", "import_id", "line_number", "field", "code", "problem", "expected", "raw")
_RACES = 5

_UNKNOWN = Problem(
    "supplier_reference", "unknown-supplier", "nobody knows this supplier", "a supplier that is registered"
)
_NOT_ASKED = Problem(
    "supplier_reference",
    "supplier-not-looked-up",
    "too many of the file's suppliers are unknown: this one was not looked up",
    "the file's suppliers registered first; then send the refused lines again",
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
_UNPAID = Problem(
    "paid_on",
    "invoice-known-unpaid",
    "the invoice is known, and not as paid",
    "its payment recorded (POST /v1/payments), or the line as it was sent before",
)
_PAID = Problem(
    "paid_on",
    "invoice-known-paid",
    "the invoice is known as one that was paid",
    "the day it was paid on, as it was sent before",
)


@dataclass(slots=True)
class _Sorted:
    """A batch's lines by what becomes of them."""

    new: list[NewInvoice] = field(default_factory=list)
    existing: int = 0
    net_pence: int = 0
    refused: list[Refusal] = field(default_factory=list)
    refused_pence: int = 0


class _Known(NamedTuple):
    """An invoice that a line's reference names already."""

    content: bytes
    paid_on: date | None
    historic: bool

    def differs_from(self, content: bytes, paid_on: date | None) -> Problem | None:
        """Why a line is not this invoice told again; None where it is.

        An open invoice that was paid since may well be sent once more as it was.
        """
        if self.content != content:
            return _TAKEN
        if paid_on == self.paid_on or (paid_on is None and not self.historic):
            return None
        return _UNPAID if self.paid_on is None else _PAID


class Storing:
    """Stores the batches of one import."""

    def __init__(self, sessions: Sessions, reading: FileReading, told: Told) -> None:
        self._sessions = sessions
        self._reading = reading
        self._told = told

    async def store(
        self, prepared: Prepared, known: dict[str, LineSupplier | None], *, after_line: int, now: datetime
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
        self, prepared: Prepared, known: dict[str, LineSupplier | None], *, after_line: int, now: datetime
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
            await _copy(connection, "change", rows.changes, CHANGE_COLUMNS)
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
        self, session: AsyncSession, connection: Any, drafts: Sequence[Draft], known: dict[str, LineSupplier | None]
    ) -> _Sorted:
        """Which lines are new, which were there, which cannot be."""
        sorted_ = _Sorted()
        good: list[tuple[Draft, LineSupplier]] = []
        for draft in drafts:
            supplier = known.get(draft.supplier_reference)
            if supplier is not None:
                good.append((draft, supplier))
            else:
                self._refuse(sorted_, draft, _UNKNOWN if draft.supplier_reference in known else _NOT_ASKED)
        if not good:
            return sorted_
        references, there = await self._references(connection, [draft for draft, _ in good])
        holds = await self._holds(session, good)
        before = {
            reference: _Known(bytes(row["content_hash"]), row["paid_on"], row["historic"])
            for reference, row in there.items()
        }
        for (draft, supplier), reference in zip(good, references, strict=True):
            said = _content_of(draft, supplier)
            stored = before.get(reference)
            if stored is not None:
                problem = stored.differs_from(said, draft.paid_on)
                if problem is not None:
                    self._refuse(sorted_, draft, problem)
                    continue
                sorted_.existing += 1
            elif supplier.status in ENDED and draft.paid_on is None:
                self._refuse(sorted_, draft, _CLOSED)
                continue
            else:
                before[reference] = _Known(said, draft.paid_on, draft.paid_on is not None)
                reasons = holds.get(supplier.supplier_id, ()) if draft.paid_on is None else ()
                sorted_.new.append(
                    NewInvoice(
                        draft, reference, supplier.supplier_id, supplier.text, supplier.terms_days, said, reasons
                    )
                )
            sorted_.net_pence += draft.net_pence
        return sorted_

    async def _references(self, connection: Any, drafts: Sequence[Draft]) -> tuple[list[str], dict[str, Any]]:
        """The source reference of each line, and which of them are there already."""
        system = self._told.source_system
        if drafts[0].line_key is not None:
            return await finding.told_apart(connection, self._told.import_id, system, drafts)
        references = [draft.reference for draft in drafts]
        return references, await finding.existing(connection, system, references)

    async def _holds(
        self, session: AsyncSession, good: Sequence[tuple[Draft, LineSupplier]]
    ) -> dict[UUID, tuple[str, ...]]:
        """Why suppliers of unpaid invoices may not be paid; they stay so until we commit."""
        ids = {supplier.supplier_id for draft, supplier in good if draft.paid_on is None}
        if not ids:
            return {}
        rows = await suppliers.share(session, list(ids))
        return {
            supplier_id: tuple(reasons)
            for supplier_id, row in rows.items()
            if (reasons := hold_reasons(row["status"], row["open_changes"]))
        }

    def _refuse(self, sorted_: _Sorted, draft: Draft, problem: Problem) -> None:
        sorted_.refused.append(self._reading.refusal(draft.line_number, (problem,), draft.cells))
        sorted_.refused_pence += draft.net_pence

    def _refused_rows(self, refused: Sequence[Refusal], milliseconds: int) -> list[tuple[Any, ...]]:
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
