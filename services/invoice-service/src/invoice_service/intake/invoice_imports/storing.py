"""One batch in the transaction of its slice: invoices, holds, events, refused lines and the import's own counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial

import asyncpg
from council_common.imports import Refusal
from council_common.recording import record
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.bulk_ids import ordered_ids
from invoice_service.intake.invoice_imports import lines_store
from invoice_service.intake.invoice_imports.assembling import AssembledRows, ImportContext, assemble
from invoice_service.intake.invoice_imports.file_reading import PreparedBatch
from invoice_service.intake.invoice_imports.line_outcomes import LineOutcomes, facts_of_lines
from invoice_service.intake.invoice_imports.suppliers_of_lines import LineSupplier
from invoice_service.intake.invoice_imports.tables import InvoiceImport
from invoice_service.intake.invoice_imports.understanding import OpenedFile, reading_of

_RACES = 5
_COPIED_AT_ONCE = 1_250


async def store_batch(
    session: AsyncSession,
    import_: InvoiceImport,
    batch: PreparedBatch,
    known: dict[str, LineSupplier | None],
    *,
    opened: OpenedFile,
    context: ImportContext,
    now: datetime,
) -> None:
    """Store a batch and count it in the (locked) import.

    A single invoice that took one of the batch's references or numbers meanwhile makes it begin again.
    """
    for race in range(_RACES + 1):
        try:
            async with session.begin_nested():
                outcomes, refused = await _store(session, batch, known, context=context, now=now)
            break
        except asyncpg.UniqueViolationError:
            if race == _RACES:
                raise
    import_.header, import_.delimiter, import_.amount_basis = opened.header, opened.delimiter, opened.amount_basis
    import_.reading = reading_of(opened)
    import_.lines_accepted += outcomes.accepted
    import_.lines_existing += outcomes.existing
    import_.lines_refused += len(refused)
    import_.lines_skipped += batch.read.skipped
    import_.lines_amounts_disagree += outcomes.amounts_disagree
    import_.lines_vat_derived += outcomes.vat_derived
    import_.net_pence_sum += outcomes.net_pence
    import_.refused_pence_sum += batch.read.refused_pence + outcomes.refused_pence
    if batch.read.total is not None:
        import_.file_total_pence, import_.file_total_agrees = batch.read.total[0], batch.total_agrees
    await record(session, also=[import_], by=context.by, at=now)  # no fact: progress is none


async def _store(
    session: AsyncSession,
    batch: PreparedBatch,
    known: dict[str, LineSupplier | None],
    *,
    context: ImportContext,
    now: datetime,
) -> tuple[LineOutcomes, Sequence[Refusal]]:
    milliseconds = int(now.timestamp() * 1000)
    outcomes = LineOutcomes(batch.refusals)
    lines = outcomes.of_known_suppliers(batch.drafts, known)
    facts = await facts_of_lines(session, lines, context)
    ids = ordered_ids(len(lines), milliseconds=milliseconds)

    def next_rows(first: int) -> AssembledRows:
        places = range(first, min(first + _COPIED_AT_ONCE, len(lines)))
        return assemble(outcomes.decide(lines, facts, ids, places), context, milliseconds=milliseconds)

    parts = (partial(next_rows, first) for first in range(0, len(lines), _COPIED_AT_ONCE))
    await _copy_while_assembling(session, context, parts)
    refused = [*batch.read.refused, *outcomes.refused]
    await lines_store.copy_refusals(session, context.import_id, refused, milliseconds=milliseconds)
    return outcomes, refused


async def _copy_while_assembling(
    session: AsyncSession, context: ImportContext, parts: Iterable[Callable[[], AssembledRows]]
) -> None:
    """Copy the rows that `parts` make, each in a thread while PostgreSQL takes those of the part before."""
    copying: asyncio.Task[None] | None = None
    try:
        for part in parts:
            rows = await asyncio.to_thread(part)
            if copying is not None:
                await copying
            copying = asyncio.create_task(lines_store.copy_invoices(session, rows, context))
        if copying is not None:
            await copying
    finally:
        if copying is not None and not copying.done():  # the part after it failed: the transaction ends with it
            copying.cancel()
            await asyncio.gather(copying, return_exceptions=True)
