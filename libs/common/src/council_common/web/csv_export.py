"""A list as a CSV download: streamed, so that neither side holds the whole, and safe to open as a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from fastapi.responses import Response, StreamingResponse
from sqlalchemy import Select

from council_common.clock import LONDON
from council_common.errors import Unavailable
from council_common.runtime.clients import ServiceClients, ServiceName
from council_common.runtime.service_runtime import Runtime
from council_common.spreadsheet_cells import FORMULA_STARTS
from council_common.web.keyset import MAX_LIMIT, Order, in_chunks

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for the code page of the machine."""
MEDIA_TYPE = "text/csv; charset=utf-8"


@dataclass(frozen=True, slots=True)
class NameBeside:
    """A column of ids that is followed by the names behind them, as another service's list shows them."""

    column: str
    service: ServiceName
    path: str

    @property
    def header(self) -> str:
        return f"{self.column.removesuffix('_id')}_name"

    async def of(self, clients: ServiceClients, ids: Iterable[UUID]) -> dict[UUID, str]:
        """The names of some ids. Raises Unavailable where the other service does not answer."""
        wanted = sorted(ids)
        names: dict[UUID, str] = {}
        for start in range(0, len(wanted), MAX_LIMIT):
            some = [str(id_) for id_ in wanted[start : start + MAX_LIMIT]]
            answer = await clients.get(self.service, self.path, ids=some, limit=MAX_LIMIT)
            if answer is None:
                raise Unavailable(f"{self.service}-service has no {self.path}.")
            names |= {UUID(item["id"]): item["name"] for item in answer["items"]}
        return names


async def csv_export(
    runtime: Runtime, statement: Select[Any], order: Order, *, filename: str, names: Sequence[NameBeside] = ()
) -> StreamingResponse:
    """All rows of a statement under its columns' names, in order.

    Reads a thousand rows at a time, each in a transaction of its own, after the request's has ended: a list that
    changes meanwhile is shown as it was at several moments. Raises Unavailable where a service that has the names
    does not answer; one that stops answering later breaks the download off, so that no half is taken for the whole.
    """
    lines = _lines(runtime, statement, order, names)
    first = await anext(lines)
    return StreamingResponse(
        _with_first(first, lines),
        media_type=MEDIA_TYPE,
        headers=_as_download(filename),
    )


def report_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, filename: str) -> Response:
    """A report that was computed in memory, as CSV: the same cells as a list's, amounts in pounds."""
    text = BYTE_ORDER_MARK + _as_csv([_header(columns, ()), *(_cells(row, columns, {}) for row in rows)])
    return Response(text, media_type=MEDIA_TYPE, headers=_as_download(filename))


def _as_download(filename: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{filename}"'}


async def _with_first(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for some in rest:
        yield some


async def _lines(
    runtime: Runtime, statement: Select[Any], order: Order, names: Sequence[NameBeside]
) -> AsyncIterator[str]:
    """The header with the first rows, then the rest, a thousand rows at a time."""
    columns = list(statement.selected_columns.keys())
    known: dict[str, dict[UUID, str]] = {name.column: {} for name in names}
    text = BYTE_ORDER_MARK + _as_csv([_header(columns, names)])
    async for rows in in_chunks(runtime.sessions, statement, order):
        for name in names:
            asked = {getattr(row, name.column) for row in rows} - known[name.column].keys() - {None}
            if asked:
                known[name.column] |= await name.of(runtime.clients, asked)
        yield text + _as_csv(_cells(row, columns, known) for row in rows)
        text = ""


def _header(columns: Sequence[str], names: Sequence[NameBeside]) -> list[str]:
    beside = {name.column: name.header for name in names}
    header: list[str] = []
    for column in columns:
        header.append(f"{column.removesuffix('_pence')}_pounds" if column.endswith("_pence") else column)
        header += [beside[column]] if column in beside else []
    return header


def _cells(row: Any, columns: Sequence[str], names: Mapping[str, Mapping[UUID, str]]) -> list[Any]:
    cells: list[Any] = []
    for column, value in zip(columns, row, strict=False):  # the order's keys follow the columns
        cells.append(pounds(value) if column.endswith("_pence") else spreadsheet_cell(value))
        if column in names:
            cells.append(spreadsheet_cell(names[column].get(value, "")))
    return cells


def pounds(pence: int | None) -> str | None:
    """An amount as people read it, without separators, so that a spreadsheet takes it for a number.

    >>> pounds(123456), pounds(-5), pounds(None)
    ('1234.56', '-0.05', None)
    """
    return None if pence is None else str(Decimal(pence).scaleb(-2).quantize(Decimal("0.01")))


def spreadsheet_cell(value: Any) -> Any:
    """A value as a spreadsheet shows it and never computes it; several values stand side by side.

    >>> spreadsheet_cell("=1+1"), spreadsheet_cell(-5), spreadsheet_cell(["disputed", "missing_po"])
    ("'=1+1", -5, 'disputed missing_po')
    """
    if isinstance(value, list):
        value = " ".join(map(str, value))
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, datetime):
        return value.astimezone(LONDON).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def _as_csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
