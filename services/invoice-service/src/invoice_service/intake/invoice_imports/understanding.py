"""How a file is understood, before a line of it is read; what could mean two things is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from council_common.imports import (
    Doubt,
    Format,
    Reading,
    SettledDates,
    UnreadableFile,
    read_records,
    settle_dates,
    surveyed_dates,
)
from council_common.imports.column_binding import Column
from council_common.imports.column_names import number_of, same_name
from council_common.imports.dates import DateOrder
from council_common.imports.mapping import Mapping as FileMapping
from council_common.imports.published_spend import amount_basis

from invoice_service.intake.invoice_imports.mappings import (
    ColumnMapping,
    doubts_about_amounts,
    mapping_of,
    merged,
    orders_of,
)
from invoice_service.intake.invoice_imports.rules import Profile

_PAST: Final = frozenset({"paid_on", "received_on"})


@dataclass(frozen=True, slots=True)
class SavedReading:
    """How a file of the same columns was read before: its mapping, and the names by which it is known again."""

    id: UUID
    header: list[str]
    mapping: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OpenFile:
    """The request to open a file behind the last line that was stored; the answer is an OpenedFile.

    `date_orders` are those of its columns where they are known: it was open before. `saved` are readings of its
    source system, the latest first.
    """

    import_id: UUID
    format: Format
    profile: Profile
    mapping: dict[str, Any]
    after_line: int
    today: date
    date_orders: dict[str, DateOrder] | None
    saved: tuple[SavedReading, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """How a file is understood; `fields` are the names for a record that has none of its own.

    `columns` says which column each field is read from and why, `date_orders` how the dates of each are written, in
    `dates_undecided` for want of better. Where there are `doubts` its sender has to be asked before a line is read.
    `mapping` is the sender's, with what `saved_reading` adds to it.
    """

    header: list[str]
    header_line: int
    delimiter: str
    sheet: str | None
    amount_basis: str | None
    fields: list[str]
    columns: dict[str, dict[str, Any]]
    date_orders: dict[str, DateOrder]
    dates_undecided: list[str]
    doubts: list[Doubt]
    mapping: dict[str, Any]
    saved_reading: UUID | None


def reading_of(opened: OpenedFile) -> dict[str, Any]:
    """How a file was understood, as it is kept with its import."""
    kept = ("header_line", "sheet", "columns", "date_orders", "dates_undecided", "mapping")
    saved = opened.saved_reading
    return {**{name: getattr(opened, name) for name in kept}, "saved_reading": None if saved is None else str(saved)}


def header_key(header: list[str]) -> list[str]:
    """The names by which a layout is known again; those that we wrote into a corrected file are not of it."""
    return [same_name(cell) for cell in header if not cell.startswith("_")]


def understand(file: OpenFile, pieces: Callable[[], Iterator[bytes]]) -> tuple[FileMapping, Reading, OpenedFile]:
    """Open a file: the mapping of its columns, its reading, not yet begun, and how it is understood.

    Raises UnreadableFile.
    """
    own = ColumnMapping.model_validate(file.mapping)
    sender, saved = _completed(own, file, pieces)
    mapping = mapping_of(file.profile, sender)
    if file.date_orders is not None:
        settled = SettledDates(file.date_orders, [], [])
    elif isinstance(own.date_order, str):
        settled = SettledDates({}, [], [])
    else:
        surveyed = surveyed_dates(pieces, format=file.format, mapping=mapping)
        stated = orders_of(own, mapping)
        unstated = {name: column for name, column in surveyed.items() if name not in stated}
        settled = settle_dates(unstated, known=orders_of(sender, mapping), past=_PAST, today=file.today)
    mapping = mapping.with_date_orders(settled.orders)
    reading = read_records(
        pieces, format=file.format, mapping=mapping, start_after_line=file.after_line, keep_cells=True
    )
    binding = reading.binding
    columns = {column.field: _shown(reading, column) for column in binding.columns if column.index is not None}
    names = {name: one["name"] for name, one in columns.items()}
    if file.format == "ndjson":
        names = {name: alternatives[0] for name, alternatives in sender.columns.items()}
    dates = {one.name: one.date_order for one in mapping.fields if one.kind == "date"}
    return (
        mapping,
        reading,
        OpenedFile(
            header=list(reading.header),
            header_line=reading.header_line,
            delimiter=reading.delimiter,
            sheet=reading.sheet,
            amount_basis=amount_basis(binding) if file.profile is Profile.PUBLISHED_SPEND else None,
            fields=[one.columns[0] for one in mapping.fields],
            columns=columns,
            date_orders={column.field: dates[column.field] for column in binding.columns if _is_date(column, dates)},
            dates_undecided=settled.undecided,
            doubts=[*binding.doubts, *doubts_about_amounts(file.profile, sender, names), *settled.doubts],
            mapping=sender.model_dump(mode="json", exclude_defaults=True),
            saved_reading=saved,
        ),
    )


def _completed(
    own: ColumnMapping, file: OpenFile, pieces: Callable[[], Iterator[bytes]]
) -> tuple[ColumnMapping, UUID | None]:
    """The sender's mapping, completed by the saved reading of a file with the same columns."""
    for saved in file.saved:
        whole = merged(ColumnMapping.model_validate(saved.mapping), own)
        try:
            reading = read_records(pieces, format=file.format, mapping=mapping_of(file.profile, whole))
        except UnreadableFile:
            continue
        if header_key(list(reading.header)) == saved.header and not reading.binding.doubts:
            return whole, saved.id
    return own, None


def _is_date(column: Column, dates: Mapping[str, DateOrder]) -> bool:
    return column.index is not None and column.field in dates


def _shown(reading: Reading, column: Column) -> dict[str, Any]:
    index = column.index or 0
    return {
        "name": reading.header[index].strip(),
        "number": number_of(reading.header, index),
        "found_by": column.why,
    }
