"""Which columns of a sender's file mean which field, and how their cells are read."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from council_common.imports.cell_reader import CellReader, Kind
from council_common.imports.column_binding import Column, ColumnBinding
from council_common.imports.dates import DateOrder
from council_common.imports.problems import UnreadableFile

MOST_NAMED = 30


class MappedField(BaseModel):
    """One field of a record.

    `columns` are alternatives, the first that the file has is taken; capitals, spaces and punctuation do not
    matter. `presence` is whether the file needs the column, and whether each record needs a value in it.
    `default` is read as though it stood in a blank cell. `blanks` are texts that mean blank (`N/A`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)
    columns: tuple[str, ...] = Field(min_length=1, max_length=50)
    kind: Kind = "text"
    presence: Literal["value", "column", "optional"] = "optional"
    default: str | None = None
    date_order: DateOrder = "dmy"
    excel_serial: bool = False
    blanks: tuple[str, ...] = ()
    max_length: int = Field(default=1_000, ge=1, le=32_767)

    def reader(self) -> CellReader:
        """What turns this field's cells into values."""
        return CellReader(
            field=self.name,
            kind=self.kind,
            required=self.presence == "value",
            default=self.default,
            blanks=self.blanks,
            order=self.date_order,
            excel_serial=self.excel_serial,
            max_length=self.max_length,
        )

    @model_validator(mode="after")
    def _default_is_readable(self) -> Self:
        if self.default is not None:
            self.reader()[""]
        return self


class Mapping(BaseModel):
    """The fields of a record, in the order of the row tuples that a reading yields.

    `amount` names the money field whose sum is kept. `totals`: senders of such files write a total among the
    records, which has nothing but an amount and is no record; elsewhere such a line is a broken record and
    refused. `extra_cells` is what becomes of a record with filled cells beyond the header: refused,
    or read without them (working columns left in by the sender).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[MappedField, ...] = Field(min_length=1, max_length=200)
    amount: str | None = None
    totals: bool = False
    extra_cells: Literal["refuse", "ignore"] = "refuse"

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        names = self.names
        if len(set(names)) != len(names):
            raise ValueError("two fields have the same name")
        if self.amount is not None:
            kinds = {field.name: field.kind for field in self.fields}
            if kinds.get(self.amount) not in ("money", "pence"):
                raise ValueError(f"amount names {self.amount!r}, which is no field of kind money or pence")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The fields' names, in the order of the row tuples."""
        return tuple(field.name for field in self.fields)

    def bind(self, header: Sequence[str]) -> ColumnBinding:
        """Find each field's column in a header line, once per file.

        A column serves one field only: the first in the mapping's order. Raises `UnreadableFile` with
        `missing-columns` or `ambiguous-columns`, naming what was found and what is accepted.
        """
        places = _places(header)
        taken: set[int] = set()
        found = [(field, *_found(field, places, taken)) for field in self.fields]
        missing = [field for field, _, index in found if index is None and field.presence != "optional"]
        if missing:
            raise _missing_columns(missing, header)
        columns = tuple(Column(field.name, source, index, field.reader()) for field, source, index in found)
        return ColumnBinding(columns=columns, header=header, amount=self.amount, extra_cells=self.extra_cells)

    def bind_in_order(self, *behind: str) -> ColumnBinding:
        """For records whose cells are already in the order of the fields, with columns `behind` them."""
        columns = tuple(
            Column(field.name, field.name, index, field.reader()) for index, field in enumerate(self.fields)
        )
        header = (*self.names, *behind)
        return ColumnBinding(columns=columns, header=header, amount=self.amount, extra_cells="refuse")

    def matched(self, header: Sequence[str]) -> int:
        """How many fields would find a column: the line of a file with most of them was meant as its header."""
        places = _places(header)
        return sum(any(same_name(name) in places for name in field.columns) for field in self.fields)


@lru_cache(maxsize=8_192)
def same_name(column: str) -> str:
    """A column's name without capitals, spaces and punctuation: `Net Amount ` and `NetAmount` are the same."""
    return "".join(char for char in column.casefold() if char.isalnum())


def _places(header: Sequence[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for index, cell in enumerate(header):
        # `_line`, `_field`, `_problem` come back in corrected files and are no data of the sender's.
        if not cell.startswith("_") and (name := same_name(cell)):
            places.setdefault(name, []).append(index)
    return places


def _found(field: MappedField, places: dict[str, list[int]], taken: set[int]) -> tuple[str, int] | tuple[None, None]:
    for alternative in field.columns:
        found = [index for index in places.get(same_name(alternative), ()) if index not in taken]
        if len(found) > 1:
            numbers = " and ".join(str(index + 1) for index in found)
            detail = f"columns {numbers} are both called {alternative!r}, wanted for {field.name}"
            raise UnreadableFile("ambiguous-columns", detail, "one column of that name")
        if found:
            taken.add(found[0])
            return alternative, found[0]
    return None, None


def _missing_columns(missing: Sequence[MappedField], header: Sequence[str]) -> UnreadableFile:
    found = [cell.strip()[:60] for cell in header if cell.strip()]
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    wanted = "; ".join(
        f"{field.name} (a column called {' or '.join(map(repr, field.columns[:MOST_NAMED]))})" for field in missing
    )
    detail = f"no column for {', '.join(field.name for field in missing)}; the header has "
    return UnreadableFile(
        "missing-columns", detail + (", ".join(map(repr, found[:MOST_NAMED])) or "no names") + more, wanted
    )
