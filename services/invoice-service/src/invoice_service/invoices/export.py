"""A list of invoices as a CSV file, streamed: neither side holds the whole."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any

from council_common.database.chunks import in_chunks
from council_common.database.sessions import Sessions
from sqlalchemy import Select

from invoice_service.invoices.tables import Invoice

COLUMNS = (
    *("id", "kind", "supplier_id", "source_system", "source_reference", "number", "purchase_order_number"),
    *("issued_on", "received_on", "due_on", "net_pence", "vat_pence", "gross_pence", "paid_pence"),
    *("deducted_pence", "status", "hold_reasons", "approved_at", "paid_on", "historic", "import_id", "line_number"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def invoices_csv(sessions: Sessions, statement: Select[Any]) -> AsyncIterator[bytes]:
    """UTF-8 with a mark, so that Excel reads it; by id, a thousand rows at a time.

    No connection is held while they are sent: a reader may take its time.
    """
    yield b"\xef\xbb\xbf" + _csv([COLUMNS])
    table: Any = Invoice.__table__  # type: ignore[attr-defined]
    columns = [table.c[name] for name in COLUMNS]
    async for rows in in_chunks(sessions, statement.with_only_columns(*columns), table.c.id):
        yield _csv([[_cell(value) for value in row] for row in rows])


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    """A cell that a spreadsheet shows and never computes (OWASP, CSV injection)."""
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
