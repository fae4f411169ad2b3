"""Which columns of a sender's file mean which field, and how their cells are read."""

import re
from collections.abc import Mapping as ByField
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from council_common.imports.cell_reader import CellReader, Kind
from council_common.imports.column_binding import Column, ColumnBinding
from council_common.imports.dates import DateOrder
from council_common.imports.problems import Doubt, DoubtfulFile, UnreadableFile

MOST_NAMED = 30
_POSITION = re.compile(r"#[0-9]{1,4}")


class MappedField(BaseModel):
    """One field of a record.

    `columns` are alternatives, the first that the file has is taken; capitals, spaces and punctuation do not
    matter. `presence` is whether the file needs the column, and whether each record needs a value in it.
    `default` is read as though it stood in a blank cell. `blanks` are texts that mean blank (`N/A`).
    `named`: the sender named the column, so that a file without it is not the file that was meant.
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
    named: bool = False

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
    or read without them (working columns left in by the sender). `shared` are columns that may serve several fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[MappedField, ...] = Field(min_length=1, max_length=200)
    amount: str | None = None
    totals: bool = False
    extra_cells: Literal["refuse", "ignore"] = "refuse"
    shared: tuple[str, ...] = ()

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

        A column serves one field only, unless it is `shared`: one that the sender named for it, else the first in the
        mapping's order. Raises `UnreadableFile` with `missing-columns`, `ambiguous-columns`, `named-column-missing` or
        `one-column-for-two-fields`, naming what was found and what is accepted.
        """
        places = _places(header)
        taken: dict[int, str] = {}
        shared = frozenset(map(same_name, self.shared))
        found: dict[str, tuple[str, int] | tuple[None, None]] = {}
        for field in sorted(self.fields, key=lambda field: not field.named):
            found[field.name] = place = _found(field, places, taken, shared)
            if field.named and place[1] is None:
                raise _named_in_vain(field, places, taken, header)
        missing = [field for field in self.fields if found[field.name][1] is None and field.presence != "optional"]
        if missing:
            raise _missing_columns(missing, header)
        columns = tuple(
            Column(field.name, source=found[field.name][0], index=found[field.name][1], reader=field.reader())
            for field in self.fields
        )
        return ColumnBinding(columns=columns, header=header, amount=self.amount, extra_cells=self.extra_cells)

    def with_columns(self, named: ByField[Any, Sequence[str]], *, shared: Sequence[str]) -> "Mapping":
        """The same mapping with the columns that a sender named for these fields."""
        fields = (
            field.model_copy(update={"columns": tuple(named[field.name]), "named": True})
            if field.name in named
            else field
            for field in self.fields
        )
        return self.model_copy(update={"fields": tuple(fields), "shared": tuple(shared)})

    def with_date_orders(self, orders: ByField[str, DateOrder]) -> "Mapping":
        """The same mapping with the order in which each of these fields' dates are written."""
        fields = (
            field.model_copy(update={"date_order": orders[field.name]}) if field.name in orders else field
            for field in self.fields
        )
        return self.model_copy(update={"fields": tuple(fields)})

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
    """A column's name without capitals, spaces and punctuation: `Net Amount ` and `NetAmount` are the same.

    `#3` is the third column, whatever it is called.
    """
    if _POSITION.fullmatch(column):
        return column
    return "".join(char for char in column.casefold() if char.isalnum())


def _places(header: Sequence[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for index, cell in enumerate(header):
        # `_line`, `_field`, `_problem` come back in corrected files and are no data of the sender's.
        if not cell.startswith("_") and (name := same_name(cell)):
            places.setdefault(name, []).append(index)
        places[f"#{index + 1}"] = [index]
    return places


def _found(
    field: MappedField, places: dict[str, list[int]], taken: dict[int, str], shared: frozenset[str]
) -> tuple[str, int] | tuple[None, None]:
    for alternative in field.columns:
        name = same_name(alternative)
        found = [index for index in places.get(name, ()) if index not in taken or name in shared]
        if len(found) > 1:
            raise _several_columns(field, alternative, found)
        if found:
            taken.setdefault(found[0], field.name)
            return alternative, found[0]
    return None, None


def _several_columns(field: MappedField, name: str, found: Sequence[int]) -> DoubtfulFile:
    numbers = [str(index + 1) for index in found]
    detail = f"columns {' and '.join(numbers)} are both called {name!r}, wanted for {field.name}"
    question = f"Which column is {field.name}: {' or '.join(numbers)}? They have one name, {name!r}."
    expected = "one column of that name, or its number in the mapping"
    return DoubtfulFile("ambiguous-columns", detail, expected, Doubt(field.name, tuple(numbers), question))


def _named_in_vain(
    field: MappedField, places: dict[str, list[int]], taken: dict[int, str], header: Sequence[str]
) -> UnreadableFile:
    for name in field.columns:
        for index in places.get(same_name(name), ()):
            detail = f"the column {header[index].strip()!r} is named for {taken[index]} and for {field.name}"
            expected = f'a column for each, or "shared": [{name!r}] in the mapping where one says both'
            return UnreadableFile("one-column-for-two-fields", detail, expected)
    wanted = " or ".join(map(repr, field.columns))
    detail = f"the mapping names the column {wanted} for {field.name}; the header has {_names(header)}"
    return UnreadableFile("named-column-missing", detail, "a mapping with the names that the file has")


def _missing_columns(missing: Sequence[MappedField], header: Sequence[str]) -> UnreadableFile:
    wanted = "; ".join(
        f"{field.name} (a column called {' or '.join(map(repr, field.columns[:MOST_NAMED]))})" for field in missing
    )
    detail = f"no column for {', '.join(field.name for field in missing)}; the header has {_names(header)}"
    return UnreadableFile("missing-columns", detail, wanted)


def _names(header: Sequence[str]) -> str:
    found = [cell.strip()[:60] for cell in header if cell.strip()]
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return (", ".join(map(repr, found[:MOST_NAMED])) or "no names") + more
