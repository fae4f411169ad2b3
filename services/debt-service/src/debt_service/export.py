"""Lists as CSV, row by row: memory stays flat however long the list is."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any

from council_common.runtime.running import Runtime
from fastapi.responses import StreamingResponse
from sqlalchemy import Select

BATCH = 1_000
# A spreadsheet runs a cell that begins like this as a formula (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_answer(runtime: Runtime, statement: Select[Any], *, columns: Sequence[str], name: str) -> StreamingResponse:
    """A download of a statement's rows; it reads in a transaction of its own, after the request's has ended."""
    return StreamingResponse(
        _lines(runtime, statement, columns),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


async def _lines(runtime: Runtime, statement: Select[Any], columns: Sequence[str]) -> AsyncIterator[str]:
    yield _as_csv([columns])
    async with runtime.sessions() as session:
        rows = await session.stream(statement.execution_options(yield_per=BATCH))
        async for batch in rows.partitions(BATCH):
            yield _as_csv([[_safe(value) for value in row] for row in batch])


def _safe(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def _as_csv(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
