"""A list as a CSV download: streamed, so that neither side holds the whole, and safe to open as a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from fastapi.responses import StreamingResponse
from sqlalchemy import Select

from council_common.database.chunks import in_chunks
from council_common.database.sessions import Sessions

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for the code page of the machine."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet computes a cell that begins like this (OWASP, "CSV Injection")."""


def csv_download(sessions: Sessions, statement: Select[Any], *keys: Any, filename: str) -> StreamingResponse:
    """All rows of a statement under its columns' names, in order of `keys`: columns it selects, unique together.

    Reads a thousand rows at a time, each in a transaction of its own, after the request's has ended: a list that
    changes meanwhile is shown as it was at several moments.
    """
    return StreamingResponse(
        _lines(sessions, statement, keys),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{filename}"'},
    )


async def _lines(sessions: Sessions, statement: Select[Any], keys: Sequence[Any]) -> AsyncIterator[str]:
    yield BYTE_ORDER_MARK + _as_csv([statement.selected_columns.keys()])
    async for rows in in_chunks(sessions, statement, *keys):
        yield _as_csv([spreadsheet_cell(value) for value in row] for row in rows)


def spreadsheet_cell(value: Any) -> Any:
    """A value as a spreadsheet shows it and never computes it; several values stand side by side.

    >>> spreadsheet_cell("=1+1"), spreadsheet_cell(-5), spreadsheet_cell(["disputed", "missing_po"])
    ("'=1+1", -5, 'disputed missing_po')
    """
    if isinstance(value, list):
        value = " ".join(value)
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def _as_csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
