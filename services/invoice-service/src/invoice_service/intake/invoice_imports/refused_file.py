"""The refused lines of an import as a file to correct and send again, streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import Any

from council_common.database.sessions import Sessions
from council_common.imports import Problem, Refusal, refused_file

from invoice_service.intake.invoice_imports import store
from invoice_service.intake.invoice_imports.rules import FileFormat, RefusalsInOtherFormat
from invoice_service.intake.invoice_imports.tables import InvoiceImport


def check_format(import_: InvoiceImport, *, wanted: FileFormat) -> None:
    """Raise RefusalsInOtherFormat for a form the lines were not sent in; a workbook's come back as CSV."""
    sent_as_text = FileFormat.NDJSON if import_.format == FileFormat.NDJSON else FileFormat.CSV
    if wanted is not sent_as_text:
        raise RefusalsInOtherFormat(f"This import's refused lines come as {sent_as_text}.", format=sent_as_text)


async def refused_lines(sessions: Sessions, import_: InvoiceImport) -> AsyncIterator[bytes]:
    """The file, a thousand lines at a time; the header is written once."""
    heading = len(list(_written(import_, [])))
    for piece in _written(import_, []):
        yield piece
    async for rows in store.stream_refusals(sessions, import_.id):
        yield b"".join(islice(_written(import_, map(_refusal, rows)), heading, None))


def _written(import_: InvoiceImport, refusals: Iterable[Refusal]) -> Iterable[bytes]:
    return refused_file(
        refusals,
        format=import_.format.value,
        header=import_.header or [],
        delimiter=import_.delimiter or ",",
    )


def _refusal(row: Any) -> Refusal:
    return Refusal(row.line_number, (Problem(row.field, row.code, row.problem, row.expected),), row.raw)
